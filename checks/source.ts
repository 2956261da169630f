import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type Comment, type ParseResult, parseSync } from 'oxc-parser'

/** The files that git knows or would add below some paths, in alphabetical order. */
export function filesOf(...paths: string[]): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...paths])
  const deleted = new Set(
    execFileSync('git', ['ls-files', '--deleted', ...paths])
      .toString()
      .split('\n'),
  )
  return listed
    .toString()
    .split('\n')
    .filter((file) => file !== '' && !deleted.has(file))
    .sort()
}

/** Any node of a syntax tree. */
export type Node = { type: string; start: number; end: number } & Record<string, unknown>

/** A parsed file. */
export interface Source {
  file: string
  text: string
  comments: Comment[]
  module: ParseResult['module']
  nodes: Node[]
}

/** @throws an Error with the first syntax error */
export function parse(file: string): Source {
  const text = readFileSync(file, 'utf8')
  const { program, comments, module, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`)
  return { file, text, comments, module, nodes: [...nodesOf(program)] }
}

/** The line of a position, counted from 1. */
export function lineOf({ text }: Source, position: number): number {
  return text.slice(0, position).split('\n').length
}

function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const item of value) yield* nodesOf(item)
  else if (typeof value === 'object' && value !== null) {
    if (typeof (value as Node).type === 'string') yield value as Node
    for (const child of Object.values(value)) yield* nodesOf(child)
  }
}
