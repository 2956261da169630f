import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { OrganizationUser } from '../../../entities/index.ts'
import type { Callers } from '../../../src/access/callers.ts'
import { type Role, tenantRoles } from '../../../src/access/roles.ts'
import { apiOptions, api as table } from '../../../src/api.ts'
import { type AppContext, createApp } from '../../../src/app.ts'
import { inputOf } from '../../../src/hydra/documentation/operation-description.ts'
import { Api } from '../../../src/hydra/index.ts'
import { createHttpServer } from '../../../src/runtime/http/http-server.ts'
import type { Answer } from '../../support/requests/raw-responses.ts'
import { openWorld } from '../../support/world.ts'

const {
  config,
  database,
  elsewhere,
  ending,
  given,
  operator,
  organization,
  person,
  publicUrl,
  services,
  tenant,
  tokenOf,
} = await openWorld()

/** An id that no row has. */
export const unknown = '01900000-0000-7000-8000-000000000000'

/** The table of the API, as the server has it. */
export const resources = table({ forget() {} } as Callers, {} as never, {} as never)
export const joined = new Api(resources, database, { ...apiOptions, ...config })

export const routes = resources.flatMap((resource) =>
  resource.operations.map((operation) => {
    const input = inputOf(operation, resource.entity)
    return {
      title: `${operation.method} ${resource.path}${operation.path}`,
      resource,
      operation,
      method: operation.method as string,
      path: resource.path + operation.path,
      may: (operation.may ?? tenantRoles) as readonly Role[],
      input: input && joined.shape(input),
    }
  }),
)

export type Route = (typeof routes)[number]

/** Whether a route accepts a property from a role. */
export function writes({ operation, input, may }: Route, name: string, role: Role): boolean {
  const taken = operation.writes === undefined || (operation.writes[name]?.includes(role) ?? false)
  return may.includes(role) && taken && (input?.field.get(name)?.writable ?? false)
}

const several = await person('several')
for (const { id } of [organization, elsewhere.organization])
  await given(OrganizationUser, { user: several, organizationId: id, name: 'several', role: 'owner' })

const { owner, admin, member } = tenant.users

/** A bearer token of a caller in each role. */
export const tokens: Record<Role, string | undefined> = {
  anonymous: undefined,
  guest: await tokenOf(await person('guest')),
  member: await tokenOf(member),
  admin: await tokenOf(admin),
  owner: await tokenOf(owner),
  operator: await tokenOf(operator),
}

/** A token of a user who owns both organizations, and acts for the first. */
export const ownerOfBoth = await tokenOf(several, { organization: organization.id })

/** Starts a server that differs from that of the world, and tells where it is. */
export async function serve(different: Partial<AppContext>): Promise<string> {
  const server = createHttpServer(await createApp({ ...services, ...different }), publicUrl).listen(0, '127.0.0.1')
  await once(server, 'listening')
  ending.unshift(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Sent {
  token?: string
  headers?: Record<string, string>
  body?: string | Buffer
  /** Another server than that of the world. */
  at?: string
}

const lines = new Agent({ keepAlive: true, maxSockets: 32 })
ending.push(async () => lines.destroy())

/** Asks for a path to the letter. */
export function send(
  method: string,
  path: string,
  { token, headers, body, at = publicUrl }: Sent = {},
): Promise<Answer> {
  const { hostname, port } = new URL(at)
  const all = {
    ...(token && { Authorization: `Bearer ${token}` }),
    ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
    ...headers,
  }
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers: all, agent: lines }, (response) => {
      const pieces: Buffer[] = []
      response.on('data', (piece) => pieces.push(piece))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, headers, text: Buffer.concat(pieces).toString() })
      })
    })
    sent.on('error', reject)
    sent.setTimeout(30_000, () => sent.destroy(new Error(`${method} ${path.slice(0, 100)} was not answered.`)))
    sent.end(body)
  })
}

/** Sends an operation what it reads, in a type that it takes; an empty object unless told. */
export function ask(
  { method, path, operation }: Route,
  { id = unknown, body = {}, ...sent }: Omit<Sent, 'body'> & { id?: string; body?: unknown },
): Promise<Answer> {
  const where = path.replace(':id', id)
  if (method === 'GET' || method === 'DELETE') return send(method, where, sent)
  const [type, content] = operation.expects === 'file' ? multipart : [types[method], JSON.stringify(body)]
  return send(method, where, { ...sent, headers: { 'Content-Type': type, ...sent.headers }, body: content })
}

export const types: Record<string, string> = { POST: 'application/ld+json', PATCH: 'application/merge-patch+json' }

const multipart = [
  'multipart/form-data; boundary=xx',
  '--xx\r\nContent-Disposition: form-data; name="file"; filename="x.png"\r\n\r\nno image\r\n--xx--\r\n',
]
