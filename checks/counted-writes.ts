import { lineOf, type Node, type Source } from './source.ts'

/** The functions that count the rows of the SQL that is passed to them. */
const counting = new Set(['writeRows', 'countedWrite'])

/** Methods of TypeORM that insert or delete rows of the class that is their first argument. */
const writers = new Set([
  'insert',
  'upsert',
  'save',
  'into',
  'delete',
  'remove',
  'softDelete',
  'clear',
  'getRepository',
])

/** Migrations before the one that dropped the triggers for totals. */
const formerMigration = /^src\/migrations\/(?!17640000001)\d+-|^src\/migrations\/(count-rows|1764000000100)/

/** Findings: writes to tables with kept totals that do not count their rows. */
export function findUncountedWrites(sources: Source[]): string[] {
  const classes = sources.filter(({ file }) => file.startsWith('entities/')).flatMap(countedClasses)
  const tables = classes.map((name) => name.replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase()).join('|')
  // A name that is put together may be that of such a table.
  const write = new RegExp(`(?:INSERT INTO|DELETE FROM|MERGE INTO|TRUNCATE(?: TABLE)?) "?(?:(?:${tables})\\b|$)`, 'i')
  return sources
    .filter(({ file }) => file.startsWith('src/') && !file.startsWith('src/hydra/') && !formerMigration.test(file))
    .flatMap((source) => [...uncountedSql(source, write), ...uncountedCalls(source, classes)])
}

function countedClasses({ nodes }: Source): string[] {
  return nodes
    .filter(({ type, superClass }) => type === 'ClassDeclaration' && nameOf(superClass) === 'Counted')
    .map(({ id }) => nameOf(id) as string)
}

function* uncountedSql(source: Source, write: RegExp): Generator<string> {
  const counted = source.nodes.filter(
    ({ type, callee }) => type === 'CallExpression' && counting.has(nameOf(callee) ?? ''),
  )
  for (const node of source.nodes) {
    const sql =
      (node.type === 'Literal' && node.value) ||
      (node.type === 'TemplateElement' && (node.value as { raw: string }).raw)
    if (typeof sql !== 'string' || !write.test(sql)) continue
    if (counted.some(({ start, end }) => start <= node.start && node.end <= end)) continue
    yield `${source.file}:${lineOf(source, node.start)} writes rows of a table with kept totals: pass the SQL to writeRows.`
  }
}

function* uncountedCalls(source: Source, classes: string[]): Generator<string> {
  for (const { type, callee, arguments: given, start } of source.nodes) {
    if (type !== 'CallExpression') continue
    const { property } = callee as { property?: unknown }
    const [first] = given as Node[]
    if (writers.has(nameOf(property) ?? '') && classes.includes(nameOf(first) ?? ''))
      yield `${source.file}:${lineOf(source, start)} writes ${nameOf(first)} past its kept totals: use insertRow or writeRows.`
  }
}

function nameOf(node: unknown): string | undefined {
  return (node as { name?: string } | undefined | null)?.name
}
