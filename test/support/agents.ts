import type { Server } from 'node:http'
import request, { type Test } from 'supertest'
import type { User } from '../../entities/index.ts'
import type { Claims, OwnIssuer } from '../../src/access/token-issuer-keys.ts'

/** Requests with a person's token: `as(tenant.users.member).get('/meetings')`. */
export interface Agent {
  get(path: string): Test
  head(path: string): Test
  options(path: string): Test
  post(path: string, body?: object): Test
  patch(path: string, body?: object): Test
  delete(path: string): Test
}

/** Makes agents of a server, or of the server at a URL, whose tokens an issuer signs. */
export function agentsOf(server: Server | string, issuer: OwnIssuer) {
  const tokens = new Map<string, Promise<string>>()

  /** A token for a user, valid for an hour. */
  const tokenOf = (user: User, claims: Partial<Claims> = {}): Promise<string> => {
    const key = JSON.stringify([user.subject, claims])
    const token = tokens.get(key) ?? issuer.sign({ sub: user.subject, lifetime: 3600, ...claims })
    tokens.set(key, token)
    return token
  }

  /** Sends requests as a user; without a user they carry no token. */
  const as = (user?: User, claims: Partial<Claims> = {}): Agent => {
    const send = (method: 'get' | 'head' | 'options' | 'post' | 'patch' | 'delete', path: string): Test => {
      // Compression has tests of its own. Here it would take a tenth of the time.
      const test = request(server)[method](path).set('Accept-Encoding', 'identity')
      if (!user) return test
      const end = test.end.bind(test)
      test.end = (callback) => {
        tokenOf(user, claims).then((token) => {
          if (!test.get('Authorization')) test.set('Authorization', `Bearer ${token}`)
          end(callback)
        })
        return test
      }
      return test
    }
    return {
      get: (path) => send('get', path),
      head: (path) => send('head', path),
      options: (path) => send('options', path),
      delete: (path) => send('delete', path),
      post: (path, body) => withBody(send('post', path), 'application/ld+json', body),
      patch: (path, body) => withBody(send('patch', path), 'application/merge-patch+json', body),
    }
  }

  return { as, tokenOf }
}

function withBody(test: Test, type: string, body: object | undefined): Test {
  return body === undefined ? test : test.set('Content-Type', type).send(JSON.stringify(body))
}
