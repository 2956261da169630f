import { lineOf, type Node, type Source } from './source.ts'

/** A class whose rows one file writes: the one that its property `writer` names. */
interface SingleWriter {
  name: string
  table: string
  writer: string
}

/** Methods of TypeORM that write rows of the class that is their first argument. */
const writing = new Set([
  'insert',
  'update',
  'upsert',
  'save',
  'into',
  'delete',
  'from',
  'remove',
  'increment',
  'decrement',
])

/**
 * Findings: writes of a class with a `writer` in another file, by the name of the class or of its table. Writes by an entity
 * need no rule here: the compiler refuses such an entity in `insertRow`, `updateRow` and the unit of work.
 */
export function findOtherWriters(sources: Source[]): string[] {
  const classes = sources.filter(({ file }) => file.startsWith('entities/')).flatMap(classesWithWriter)
  return classes.flatMap((one) => [
    ...(sources.some(({ file }) => file === one.writer) ? [] : [`${one.writer} is missing: ${one.name} names it.`]),
    ...sources
      .filter(({ file }) => file.startsWith('src/') && !file.startsWith('src/migrations/') && file !== one.writer)
      .flatMap((source) => [...writesIn(source, one)]),
  ])
}

function classesWithWriter({ nodes }: Source): SingleWriter[] {
  return nodes
    .filter(({ type }) => type === 'ClassDeclaration')
    .flatMap(({ id, body }) => {
      const members = (body as { body: Node[] }).body
      const declared = members.find(({ key }) => nameOf(key) === 'writer')?.typeAnnotation as Node | undefined
      const writer = (declared?.typeAnnotation as { literal?: { value?: string } } | undefined)?.literal?.value
      const name = nameOf(id) as string
      return writer ? [{ name, table: name.replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase(), writer }] : []
    })
}

function* writesIn(source: Source, { name, table, writer }: SingleWriter): Generator<string> {
  const write = new RegExp(`(?:INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|TRUNCATE(?: TABLE)?) "?${table}\\b`, 'i')
  for (const { type, value, callee, arguments: given, start } of source.nodes) {
    const sql = (type === 'Literal' && value) || (type === 'TemplateElement' && (value as { raw: string }).raw)
    const method = type === 'CallExpression' ? nameOf((callee as { property?: unknown }).property) : undefined
    const isWritten = writing.has(method ?? '') && nameOf((given as Node[])[0]) === name
    if (isWritten || (typeof sql === 'string' && write.test(sql)))
      yield `${source.file}:${lineOf(source, start)} writes a ${name}: call a function of ${writer}, which also writes what depends on it.`
  }
}

function nameOf(node: unknown): string | undefined {
  return (node as { name?: string } | undefined | null)?.name
}
