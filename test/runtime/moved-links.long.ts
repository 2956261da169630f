import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import request from 'supertest'
import { localIssuer, ownIssuer } from '../../src/access/token-issuer-keys.ts'
import { people } from '../../src/demo/demo.ts'
import { eventually } from '../support/eventually.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { openWorld } from '../support/world.ts'

const { database, ending } = await openWorld()

/* Links with a former port can be stored for the local Kontomatik's sign-in page and for invoices of the local Stripe. */
const own = { AUTH_ISSUER: '', AUTH_AUDIENCE: '', AUTH_JWKS_URL: '' }
const noStripe = { STRIPE_URL: '', STRIPE_SECRET_KEY: '', STRIPE_PUBLISHABLE_KEY: '', STRIPE_WEBHOOK_SECRET: '' }

/* The API has a path, because the local Stripe must deliver its events there, too. */
const withPath = { PUBLIC_URL: 'https://host.example/org' }

test('stored links to the local Stripe and Kontomatik work after a restart on other ports', async () => {
  const environment = { ...serverEnvironment('links'), ...own, ...noStripe, ...withPath, LOG_LEVEL: 'info' }
  const service = new ServerProcess(environment)
  ending.unshift(() => service.close())
  await service.start()
  const { sign } = await ownIssuer(localIssuer, environment.DATA_DIR)
  const token = await sign({ sub: people.owner.subject })
  const send = (method: 'get' | 'post', path: string, body?: object) =>
    request(`http://127.0.0.1:${service.port}`)[method](path).set('Authorization', `Bearer ${token}`).send(body)
  const pdfOf = async () => {
    const { body } = await eventually(
      () => send('get', '/org/subscriptions'),
      ({ body }) => expect(body.member[0].status).toBe('active'),
      30,
    )
    const { body: list } = await send('get', `${body.member[0]['@id']}/invoices`)
    const { headers, body: invoice } = await send('get', list.member[0]['@id'])
    return { link: invoice.pdf, shown: list.member[0].pdf, etag: headers.etag }
  }

  const before = await pdfOf()
  const delivered = await database.query(`SELECT FROM "stripe_event" WHERE "status" = 'done'`)
  expect(delivered.length).toBeGreaterThan(0)
  expect((await fetch(before.link)).headers.get('content-type')).toBe('application/pdf')
  const setup = { redirectUri: 'http://127.0.0.1:3000/', country: 'pl' }
  const signIn = (await send('post', '/org/integrations/kontomatik/setup', setup)).body
  await service.kill()
  const others = await Promise.all([before.link, signIn.redirectUrl].map(occupy))
  await service.start()

  const after = await pdfOf()
  expect(new URL(after.link).port).not.toBe(new URL(before.link).port)
  expect(new URL(after.link).pathname).toBe(new URL(before.link).pathname)
  expect(after.shown).toBe(after.link)
  expect(after.etag).not.toBe(before.etag)
  expect((await fetch(after.link)).headers.get('content-type')).toBe('application/pdf')
  const [{ redirectUrl }] = await database.query(
    'SELECT "redirectUrl" FROM "integration" WHERE "redirectUrl" IS NOT NULL',
  )
  expect(new URL(redirectUrl).port).not.toBe(new URL(signIn.redirectUrl).port)
  expect((await fetch(redirectUrl)).status).toBe(200)
  for (const other of others) other.close()
}, 120_000)

/** Listens on the port of a link. */
async function occupy(link: string): Promise<Server> {
  const server = createServer((_, response) => response.writeHead(404).end())
  server.listen(Number(new URL(link).port), '127.0.0.1')
  await once(server, 'listening')
  return server
}
