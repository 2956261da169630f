import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import Provider, { type Configuration } from 'oidc-provider'
import { pino } from 'pino'
import { OrganizationUser } from '../../entities/index.ts'
import { remoteIssuer } from '../../src/access/token-issuer-keys.ts'
import { createApp } from '../../src/app.ts'
import { openWorld } from './world.ts'

const { config, ending, given, person, services } = await openWorld()

export const audience = 'https://api.example/organizations'

/** The provider's behaviour, which a test changes, and its record. */
export const behaviour = {
  /** Seconds that an access token lives. */
  lifetime: 3600,
  fault: undefined as 'opaque' | 'refuses' | 'silent' | undefined,
  refreshes: 0,
  revoked: 0,
  /** The parameter `resource` of each request for tokens. */
  resources: [] as unknown[],
}

/** The lines of the API's log. */
export const lines: string[] = []
const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) })

/** The API, which the provider knows as a public client. Its site is not the provider's. */
export const server = await listen('127.0.0.1')
export const publicUrl = `http://127.0.0.1:${portOf(server)}`
export const issuer = await startProvider()
server.on('request', await createApi())

const user = await person('ada', { issuer })
await given(OrganizationUser, { user, name: 'Ada', role: 'admin' })

/** Another process of the same API, or one with other settings. */
export function createApi(
  different: { publicUrl?: string; audience?: string; client?: { id: string; secret: string | undefined } } = {},
): Promise<Express> {
  const { publicUrl: address = publicUrl, ...others } = different
  const client = { id: 'explorer', secret: undefined }
  const auth = { issuer, audience, jwksUrl: `${issuer}/jwks`, client, ...others }
  return createApp({ ...services, log, issuer: remoteIssuer(auth), config: { ...config, publicUrl: address, auth } })
}

async function startProvider(): Promise<string> {
  const server = await listen('localhost')
  const address = `http://localhost:${portOf(server)}`
  // The provider warns of each default that it runs with.
  console.warn = console.info = () => {}
  const provider = new Provider(address, settings())
  const handle = provider.callback()
  server.on('request', (incoming, response) => {
    const { fault } = behaviour
    if (fault === 'silent' && incoming.url === '/token') return response.destroy()
    if (fault === 'refuses' && incoming.url === '/token')
      return response.writeHead(400, { 'Content-Type': 'application/json' }).end('{"error":"invalid_grant"}')
    return handle(incoming, response)
  })
  provider.on('grant.success', ({ oidc: { params } }) => {
    if (params?.grant_type === 'refresh_token') behaviour.refreshes++
    behaviour.resources.push(params?.resource)
  })
  provider.on('refresh_token.destroyed', () => behaviour.revoked++)
  return address
}

function settings(): Configuration {
  return {
    clients: [
      {
        client_id: 'explorer',
        token_endpoint_auth_method: 'none',
        redirect_uris: [`${publicUrl}/session/callback`],
        post_logout_redirect_uris: [`${publicUrl}/session`],
        grant_types: ['authorization_code', 'refresh_token'],
      },
      {
        client_id: 'confidential',
        client_secret: 'a secret of 32 characters at least',
        token_endpoint_auth_method: 'client_secret_post',
        redirect_uris: [`${publicUrl}/session/callback`],
      },
    ],
    features: {
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '',
          audience,
          accessTokenFormat: behaviour.fault === 'opaque' ? 'opaque' : 'jwt',
          accessTokenTTL: behaviour.lifetime,
        }),
      },
      revocation: { enabled: true },
    },
    issueRefreshToken: () => true,
    scopes: ['openid'],
  }
}

/** A server that is closed before the database. */
export async function listen(host: string): Promise<Server> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  ending.unshift(async () => {
    server.closeAllConnections()
    server.close()
  })
  return server
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
