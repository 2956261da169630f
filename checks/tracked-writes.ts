import { lineOf, type Node, type Source } from './source.ts'

/** The functions that track the rows of the SQL, or of the query builder, that is passed to them. */
const tracking = new Set(['writeRows', 'trackedWrite'])

/** Methods of TypeORM that write rows of the class that is their first argument. */
const writers = new Set([
  'insert',
  'update',
  'upsert',
  'save',
  'into',
  'from',
  'delete',
  'remove',
  'softDelete',
  'clear',
  'getRepository',
])

/** The builders of reads have the method `from`, too; a write is built in a chain with one of these. */
const builders = /\b(insert|update|delete)\(/

/** Migrations before the one that dropped the triggers for totals, and restores, which bring the totals of their rows. */
const untracked = /^src\/backup\/|^src\/migrations\/(?!17640000001)\d+-|^src\/migrations\/(count-rows|1764000000100)/

/** Findings: writes to tables of resources that neither count their rows nor record their changes. */
export function findUntrackedWrites(sources: Source[]): string[] {
  const classes = sources.filter(({ file }) => file.startsWith('entities/')).flatMap(trackedClasses)
  const tables = classes.map((name) => name.replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase()).join('|')
  // A name that is put together may be that of such a table. Rows that a migration rewrites are no change to a stream.
  const writeOf = (verbs: string) => new RegExp(`(?:${verbs}) "?(?:(?:${tables})\\b|$)`, 'i')
  const counted = 'INSERT INTO|DELETE FROM|MERGE INTO|TRUNCATE(?: TABLE)?'
  const [written, migrated] = [writeOf(`${counted}|UPDATE`), writeOf(counted)]
  return sources
    .filter(({ file }) => file.startsWith('src/') && !file.startsWith('src/hydra/') && !untracked.test(file))
    .flatMap((source) => [
      ...untrackedSql(source, source.file.startsWith('src/migrations/') ? migrated : written),
      ...untrackedCalls(source, classes),
    ])
}

/** The classes whose changes are recorded: those with a static property `recorded`, and those that extend such a class. */
function trackedClasses({ nodes, text }: Source): string[] {
  return nodes
    .filter(({ type, superClass, start, end }) => {
      if (type !== 'ClassDeclaration') return false
      const own = /static (?:override )?readonly recorded\b(.*)/.exec(text.slice(start, end))
      return own ? !/= undefined/.test(own[1]) : ['Owned', 'Counted'].includes(nameOf(superClass) ?? '')
    })
    .map(({ id }) => nameOf(id) as string)
}

function* untrackedSql(source: Source, write: RegExp): Generator<string> {
  for (const node of source.nodes) {
    const sql =
      (node.type === 'Literal' && node.value) ||
      (node.type === 'TemplateElement' && (node.value as { raw: string }).raw)
    if (typeof sql !== 'string' || !write.test(sql) || isTracked(source, node)) continue
    if (/^\s*UPDATE\b/i.test(sql) && isUnseen(sql)) continue
    yield `${source.file}:${lineOf(source, node.start)} writes rows of a resource: pass the SQL to writeRows.`
  }
}

/** An UPDATE that keeps the version changes nothing that a client sees. */
const isUnseen = (sql: string) => !sql.includes('"version" =')

function* untrackedCalls(source: Source, classes: string[]): Generator<string> {
  for (const node of source.nodes) {
    if (node.type !== 'CallExpression') continue
    const { property } = node.callee as { property?: unknown }
    const method = nameOf(property) ?? ''
    const [first] = node.arguments as Node[]
    if (!writers.has(method) || !classes.includes(nameOf(first) ?? '')) continue
    if (method === 'from' && !builders.test(source.text.slice(node.start, node.end))) continue
    if (isTracked(source, node)) continue
    yield `${source.file}:${lineOf(source, node.start)} writes ${nameOf(first)} past its changes: use insertRow, updateRow or writeRows.`
  }
}

/** Whether a node is an argument of a tracking function, or builds a constant that is. */
function isTracked({ nodes }: Source, node: Node): boolean {
  const calls = nodes.filter(({ type, callee }) => type === 'CallExpression' && tracking.has(nameOf(callee) ?? ''))
  if (calls.some(({ start, end }) => start <= node.start && node.end <= end)) return true
  const constant = nodes.find(
    ({ type, start, end }) => type === 'VariableDeclarator' && start <= node.start && node.end <= end,
  )
  const name = constant && nameOf(constant.id)
  return calls.some((call) =>
    nodes.some(
      ({ type, name: used, start, end }) =>
        type === 'Identifier' && used === name && call.start < start && end < call.end,
    ),
  )
}

function nameOf(node: unknown): string | undefined {
  return (node as { name?: string } | undefined | null)?.name
}
