import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Expression, parseSync, type TemplateLiteral } from '@swc/core'
import { check, type Diagnostics } from 'recheck'

/** A regular expression of our own, and where it stands. */
export interface Pattern {
  place: string
  source: string
  flags: string
}

type Constants = Map<string, Expression>

/** Node that any syntax tree is made of. */
type Branch = { type?: string; span?: { start: number } } & Record<string, unknown>

/**
 * Every regular expression of a file: literals, and `new RegExp(…)` of constants.
 * @throws an Error where an expression is made of something else, which this check cannot read
 */
export function patternsOf(file: string, code = readFileSync(file, 'utf8')): Pattern[] {
  // swc counts bytes on from file to file, beginning at the first statement; so each file gets one on its first line.
  const module = parseSync(`0;${code}`, { syntax: 'typescript', decorators: true, tsx: file.endsWith('.tsx') })
  const bytes = Buffer.from(`0;${code}`)
  const constants: Constants = new Map()
  const found: Pattern[] = []
  for (const node of branches(module))
    if (node.type === 'VariableDeclarator') constants.set((node.id as { value: string }).value, node.init as Expression)
  for (const node of branches(module)) {
    const before = () => bytes.subarray(0, (node.span?.start ?? 0) - module.span.start).toString()
    const place = () => `${file}:${before().split('\n').length}`
    if (node.type === 'RegExpLiteral')
      found.push({ place: place(), source: node.pattern as string, flags: node.flags as string })
    const callee = node.callee as Branch | undefined
    if ((node.type === 'NewExpression' || node.type === 'CallExpression') && callee?.value === 'RegExp') {
      const [source, flags = ''] = (node.arguments as { expression: Expression }[]).map(({ expression }) =>
        textOf(expression, constants),
      )
      if (source === undefined)
        throw new Error(`${place()}: write this regular expression as a literal, or of constants.`)
      found.push({ place: place(), source, flags })
    }
  }
  return found
}

/** A text on which a pattern takes more than linear time; undefined when the pattern is safe. */
export async function faultOf({ place, source, flags }: Pattern): Promise<string | undefined> {
  const found: Diagnostics = await check(source, flags, { timeout: 120_000 })
  if (found.status === 'safe') return undefined
  if (found.status === 'unknown') return `${place}: /${source}/ could not be checked (${found.error.kind}).`
  const { complexity, attack } = found
  return `${place}: /${source}/ takes ${complexity.summary} time, for example for ${attack.pattern}.`
}

function* branches(value: unknown): Generator<Branch> {
  if (typeof value !== 'object' || value === null) return
  if ('type' in value) yield value as Branch
  for (const child of Object.values(value)) yield* branches(child)
}

/** The text that constants make; undefined when it depends on something else. */
function textOf(node: Expression | undefined, constants: Constants): string | undefined {
  if (node?.type === 'StringLiteral') return node.value
  if (node?.type === 'Identifier') return textOf(constants.get(node.value), constants)
  if (node?.type === 'TemplateLiteral') return joined(node as TemplateLiteral, constants, false)
  if (node?.type === 'TaggedTemplateExpression') return joined(node.template, constants, true)
  return undefined
}

function joined({ quasis, expressions }: TemplateLiteral, constants: Constants, isRaw: boolean): string | undefined {
  const parts = quasis.flatMap(({ raw, cooked }, index) => [
    isRaw ? raw : cooked,
    index < expressions.length ? textOf(expressions[index] as Expression, constants) : '',
  ])
  return parts.every((part) => part !== undefined) ? parts.join('') : undefined
}

/** Checks every regular expression of the server, or of the files that are named; prints each that is not linear. */
async function run(): Promise<void> {
  const files = ['src', 'entities'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  const named = process.argv.slice(2)
  const patterns = (named.length > 0 ? named : files)
    .filter((file) => /\.tsx?$/.test(file))
    .flatMap((file) => patternsOf(file))
  const unlike = [...new Map(patterns.map((pattern) => [`/${pattern.source}/${pattern.flags}`, pattern])).values()]
  let faults = 0
  for (const pattern of unlike) {
    const fault = await faultOf(pattern)
    if (!fault) continue
    console.error(fault)
    faults++
  }
  console.log(`${patterns.length} regular expressions, ${faults} of them not linear.`)
  process.exitCode = faults > 0 ? 1 : 0
}

if (process.argv[1] === import.meta.filename) await run()
