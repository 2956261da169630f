import { dirname, join, normalize } from 'node:path'
import { findLateImports } from './late-imports.ts'
import { findResourceNames } from './resource-names.ts'
import { findOtherWriters } from './single-writers.ts'
import { filesOf, lineOf, type Node, parse, type Source } from './source.ts'
import { findUntrackedWrites } from './tracked-writes.ts'

/** The floor of each part of the house; a part imports from its own floor or a lower one. */
const floors: Record<number, string[]> = {
  6: ['src/server.ts', 'src/worker-process.ts', 'src/commands/'],
  5: ['src/app.ts'],
  4: ['src/api.ts'],
  3: ['src/controllers/', 'src/explorer/', 'src/resources/', 'src/runtime/', 'src/demo/'],
  2: [
    'src/config.ts',
    ...[
      'access',
      'audit',
      'backup',
      'banking',
      'billing',
      'closing',
      'environment',
      'erasure',
      'exports',
      'images',
      'invitations',
      'mail',
      'webhooks',
      'workspace',
    ].map((name) => `src/${name}/`),
  ],
  1: [
    'ormconfig.ts',
    ...['hydra', 'migrations', 'postgres', 'queue', 'secrets', 'start'].map((name) => `src/${name}/`),
  ],
  0: ['entities/', 'src/emulators/'],
}

/** The rooms of the engine from the lowest to the highest. */
const rooms = ['model', 'query', 'store', 'formats', 'input', 'http', 'documentation']

const engine = 'src/hydra/'
const face = 'src/hydra/index.ts'
const maxFaceNames = 45
const handlerView = 'src/hydra/model/operation.ts'
const maxCallMembers = 14
const maxFiles = 20
const maxRootFiles = 5

/** The longest files; tables, data and migrations are exempt. */
const maxLines = [
  { under: 'src/', lines: 200, exempt: /^src\/(api|migrations\/\d+.*)\.ts$/ },
  { under: 'test/', lines: 350 },
  { under: 'bench/', lines: 350 },
]

/** Words of this application that the engine must not know. */
const applicationWords = /organization|^(admin|owner|operator|guest)$|src\/api\.ts|entities\/index\.ts|\.\.\/contexts/i

/**
 * Code that writes a meeting or a setting. Such a write keeps "exclusive" of the meetings in step with the setting "meetingOverlap",
 * so few files may contain one.
 */
const overlapWrite =
  /\b(?:INSERT INTO|UPDATE|MERGE INTO) "(?:meeting|organization_config)"|\bDELETE FROM "organization_config"|\.(?:insert|into|save|update|upsert)\(\s*(?:Meeting|OrganizationConfig)\b|\b(?:create|update)Operation<(?:Meeting|OrganizationConfig)>|\bnew Meeting\(/g
const overlapWriters = [
  'src/controllers/meetings.ts',
  'src/controllers/organization-configs.ts',
  'src/demo/demo.ts',
  'src/erasure/erase-notes.ts',
  'src/workspace/meeting-overlap.ts',
]

const findings: string[] = []
const sources = filesOf('src', 'entities', 'ormconfig.ts', 'test', 'bench', 'checks', 'deploy')
  .filter((file) => /\.tsx?$/.test(file) && !file.startsWith('test/clients/openapi/'))
  .map(parse)
const imports = new Map(sources.map((source) => [source.file, importsOf(source)]))

for (const [file, targets] of imports) for (const target of targets) checkImport(file, target)
for (const circle of circles()) findings.push(`These files import each other: ${circle.join(', ')}.`)
for (const source of sources) checkFile(source)
findings.push(
  ...findUntrackedWrites(sources),
  ...findOtherWriters(sources),
  ...findResourceNames(sources),
  ...findLateImports(sources),
)
checkFolders()
checkFace()
checkCall()

for (const finding of findings) console.error(finding)
if (findings.length > 0) process.exitCode = 1

/** The files of this project that a file imports, types included. */
function importsOf({ file, module, nodes }: Source): string[] {
  const specifiers = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest?.value)),
    ...nodes
      .filter(({ type }) => type === 'ImportExpression' || type === 'TSImportType')
      .map(({ source }) => (source as { value?: unknown } | undefined)?.value),
  ]
  const local = specifiers.filter((name): name is string => typeof name === 'string' && name.startsWith('.'))
  return [...new Set(local.map((name) => normalize(join(dirname(file), name))))]
}

function floorOf(file: string): number | undefined {
  for (const [floor, parts] of Object.entries(floors))
    if (parts.some((part) => file === part || (part.endsWith('/') && file.startsWith(part)))) return Number(floor)
  return undefined
}

function checkImport(file: string, target: string): void {
  const [from, to] = [floorOf(file), floorOf(target)]
  if (from === undefined && file.startsWith('src/')) findings.push(`${file} stands on no floor: give its folder one.`)
  if (from !== undefined && to !== undefined && to > from)
    findings.push(`${file} (floor ${from}) imports ${target} (floor ${to}): import from the same floor or below.`)
  if (file.startsWith('src/emulators/') && !target.startsWith('src/emulators/'))
    findings.push(`${file} imports ${target}: an emulator imports nothing of the application.`)
  if (file.startsWith('src/controllers/') && target.startsWith('src/controllers/'))
    findings.push(`${file} imports ${target}: controllers do not import each other.`)
  if (file.startsWith(engine) && !target.startsWith(engine))
    findings.push(`${file} imports ${target}: the engine imports nothing outside itself.`)
  // A thread loads few files: the face would bring the whole engine along.
  const inside = [engine, 'test/'].some((folder) => file.startsWith(folder)) || file.endsWith('-thread.ts')
  if (!inside && target.startsWith(engine) && target !== face)
    findings.push(`${file} imports ${target}: import the engine through ${face}.`)
  const [room, other] = [file, target].map((path) => rooms.findIndex((name) => path.startsWith(`${engine}${name}/`)))
  if (room >= 0 && target.startsWith(engine) && (other < 0 || other > room))
    findings.push(`${file} imports ${target}: the rooms of the engine are ${rooms.join(' < ')}.`)
}

/** Groups of files that import each other, types included; entities may. */
function circles(): string[][] {
  const found: string[][] = []
  const [index, low, stack] = [new Map<string, number>(), new Map<string, number>(), [] as string[]]
  const visit = (file: string): void => {
    index.set(file, index.size)
    low.set(file, index.get(file) as number)
    stack.push(file)
    for (const target of imports.get(file) ?? []) {
      if (target.startsWith('entities/')) continue
      if (!index.has(target)) visit(target)
      else if (!stack.includes(target)) continue
      low.set(file, Math.min(low.get(file) as number, low.get(target) as number))
    }
    if (low.get(file) !== index.get(file)) return
    const circle = stack.splice(stack.indexOf(file))
    if (circle.length > 1) found.push(circle.sort())
  }
  for (const file of imports.keys()) if (!file.startsWith('entities/') && !index.has(file)) visit(file)
  return found
}

function checkFile(source: Source): void {
  const { file, text, nodes } = source
  const lines = text.split('\n').length - 1
  const limit = maxLines.find(({ under, exempt }) => file.startsWith(under) && !exempt?.test(file))
  if (limit && lines > limit.lines) findings.push(`${file} has ${lines} lines: ${limit.lines} are the most.`)
  const within = (folder: string) => file.startsWith(folder)
  if (!within('src/')) return
  if (!within('src/migrations/') && !overlapWriters.includes(file))
    for (const { 0: write, index } of text.matchAll(overlapWrite))
      findings.push(
        `${file}:${lineOf(source, index)} has "${write}": overlapWriters in checks/structure.ts are the only places for that.`,
      )
  for (const node of nodes) {
    const place = () => `${file}:${lineOf(source, node.start)}`
    const constructed = node.type === 'NewExpression' && (node.callee as { name?: string }).name
    if (constructed === 'AuditEvent' && !within('src/audit/'))
      findings.push(`${place()} makes an audit event: src/audit/ is the only writer of audit events.`)
    if (constructed === 'Stripe' && !within('src/emulators/') && file !== 'src/billing/stripe/stripe-client.ts')
      findings.push(
        `${place()} makes a client of Stripe: src/billing/stripe/stripe-client.ts is the only place for that.`,
      )
    const words = (node.type === 'Literal' && node.value) || (node.type === 'TemplateElement' && rawOf(node))
    if (typeof words !== 'string') continue
    if (within(engine) && applicationWords.test(words))
      findings.push(
        `${place()} names a part of the application ("${words.slice(0, 60)}"): make it an option of the engine.`,
      )
    const lockFree = [engine, 'src/migrations/', 'src/emulators/', 'src/postgres/'].some(within)
    if (!lockFree && words.includes('pg_advisory'))
      findings.push(`${place()} locks: move the lock to src/postgres/locks.ts.`)
  }
}

function rawOf({ value }: Record<string, unknown>): string {
  return (value as { raw: string }).raw
}

function checkFolders(): void {
  const folders = new Map<string, number>()
  for (const file of filesOf('src', 'test', 'bench', 'checks')) {
    if (file.startsWith('test/clients/openapi/')) continue
    const folder = dirname(file)
    folders.set(folder, (folders.get(folder) ?? 0) + 1)
  }
  for (const [folder, count] of folders) {
    const most = folder === 'src' ? maxRootFiles : folder === 'src/migrations' ? Number.POSITIVE_INFINITY : maxFiles
    if (count > most) findings.push(`${folder} has ${count} files: ${most} are the most.`)
  }
}

function checkFace(): void {
  const index = sources.find(({ file }) => file === face)
  if (!index) return void findings.push(`${face} is missing: it is the engine's public face.`)
  const names = index.module.staticExports.flatMap(({ entries }) => entries)
  if (names.length > maxFaceNames) findings.push(`${face} exports ${names.length} names: ${maxFaceNames} are the most.`)
}

/** Handlers learn one small interface; its parts hold the rest. */
function checkCall(): void {
  const nodes = sources.find(({ file }) => file === handlerView)?.nodes ?? []
  const call = nodes.find(
    ({ type, id }) => type === 'TSInterfaceDeclaration' && (id as { name: string }).name === 'Call',
  )
  const members = (call?.body as { body: Node[] } | undefined)?.body.length ?? 0
  if (members === 0) findings.push(`${handlerView} lacks the interface Call, which handlers see.`)
  if (members > maxCallMembers)
    findings.push(
      `${handlerView}: Call has ${members} members, ${maxCallMembers} are the most: give the new one to a part.`,
    )
}
