import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { localIssuer, type OwnIssuer, ownIssuer } from '../../../src/access/token-issuer-keys.ts'
import { Kontomatik } from '../../../src/banking/kontomatik/kontomatik-client.ts'
import type { Fault } from '../../../src/emulators/kontomatik/control/ordered-faults.ts'
import { type LocalKontomatik, startLocalKontomatik } from '../../../src/emulators/kontomatik/server.ts'
import { launch } from '../../../src/postgres/launcher.ts'
import { eventually } from '../../support/eventually.ts'
import { ServerProcess } from '../../support/processes/server-process.ts'
import { query } from '../../support/processes/standby.ts'
import { openWorld } from '../../support/world.ts'
import { signIn } from '../linked-bank.ts'

const { stripe } = await openWorld()

/** A person with an own organization and bank, so that scenes do not share data. */
interface Person {
  login: string
  token: string
}

/** The work of one person when the server is killed. */
interface Scene {
  /** Runs alone, up to the point where the server is killed. */
  start?(): Promise<unknown>
  /** Runs beside other scenes, up to that point. */
  reach?(): Promise<unknown>
  /** Runs while the server is down. */
  whileDown?(): void
  /** Checks the result after the restart. */
  after(): Promise<unknown>
}

type Prepare = (person: Person) => Promise<Scene>

/** An own server with an own database cluster, and a Kontomatik that is not killed. */
let kontomatik: LocalKontomatik
let directory: string
let service: ServerProcess
let issuer: OwnIssuer
/** The folder of the cluster's data, which depends on the account that runs Postgres. */
let cluster: string
const back = 'http://localhost:5173/bank'
const [setup, pull, revoke] = ['setup', 'pull', 'revoke'].map((name) => `/integrations/kontomatik/${name}`)

/** The request that Kontomatik delays when the server is killed. */
type DelayedRequest = 'reuse' | 'default-import' | '/command/' | undefined

/** Kontomatik executes the next request, and delays the response until the server is dead. */
const delayMs = 60_000
const delayResponse = (fault: Partial<Fault>) => kontomatik.fault({ kind: 'slow', delay: delayMs, ...fault })

function duringPull(path: DelayedRequest, throughConsent: boolean): Prepare {
  return async (person) => {
    const link = await linkBank(person)
    if (throughConsent) expect((await finishedPull(person, link)).status).toBe('active')
    const known = kontomatik.idsOf(person.login).imports.length
    const imports = () => kontomatik.idsOf(person.login).imports.slice(known)
    const count = await transactions(person, link)
    let fetching = ''
    return {
      async start() {
        const seen = kontomatik.requests.length
        const starting = path !== '/command/' ? path : undefined
        if (starting) delayResponse({ method: 'POST', path: starting })
        post(person, pull, { integration: link, since: '2026-01-01' }).catch(() => {})
        if (starting) return waitForRequest(seen, starting)
        const [command] = await eventually(imports, (begun) => expect(begun).toHaveLength(1))
        fetching = `/command/${command}`
        if (path) delayResponse({ method: 'GET', path: fetching })
        else await sleep(400)
      },
      reach: async () => path === '/command/' && waitForRequest(0, fetching),
      async after() {
        const ended = await finishedPull(person, link)
        expect(ended).toMatchObject({ status: 'active', lastError: null })
        expect(ended.accounts).toHaveLength(3)
        const lost = path === 'default-import' ? 1 : 0
        expect(imports().length).toBeLessThanOrEqual(1 + lost)
        const after = await transactions(person, link)
        expect(after).toBeGreaterThan(count - 1)
        expect(new Set(await countEqual(person, link))).toEqual(new Set([1, 2]))
        await expectRevoked(person, link)
      },
    }
  }
}

async function afterPull(person: Person): Promise<Scene> {
  const link = await linkBank(person)
  let first: object
  let count: number
  return {
    async reach() {
      first = await finishedPull(person, link)
      count = await transactions(person, link)
    },
    async after() {
      expect((await ask(person, 'GET', link)).body).toEqual(first)
      expect((await finishedPull(person, link)).imported).toBe(0)
      expect(await transactions(person, link)).toBe(count)
      await expectRevoked(person, link)
    },
  }
}

function duringRevocation(kind: 'slow' | 'lost' | 'status'): Prepare {
  return async (person) => {
    const integration = await linkBank(person)
    const [consent] = kontomatik.idsOf(person.login).consents
    const times = kind === 'status' ? 99 : 1
    const fault = () => kontomatik.fault({ kind, path: 'delete', body: consent, delay: delayMs, times })
    return {
      async start() {
        fault()
        const seen = kontomatik.requests.length
        post(person, revoke, { integration }).catch(() => {})
        await waitForRequest(seen, 'delete')
        await sleep(100)
      },
      whileDown: kind === 'status' ? fault : undefined,
      async after() {
        if (kind === 'status') expect((await ask(person, 'GET', integration)).body.status).toBe('revoking')
        kontomatik.clearFaults()
        if (kind === 'status') expect((await post(person, revoke, { integration })).status).toBeLessThan(203)
        await expectRevoked(person, integration, [consent])
      },
    }
  }
}

async function duringSignIn(person: Person): Promise<Scene> {
  const { body } = await post(person, setup, { redirectUri: back })
  await signIn(body.redirectUrl, { target: 'BohemiaApi', login: person.login })
  const { redirectionId } = body
  return {
    async start() {
      delayResponse({ path: 'redirection-status' })
      const seen = kontomatik.requests.length
      post(person, setup, { redirectionId }).catch(() => {})
      await waitForRequest(seen, 'redirection-status')
    },
    async after() {
      expect((await ask(person, 'GET', body['@id'])).body.status).toBe('pending')
      expect((await post(person, setup, { redirectionId })).body.status).toBe('active')
      await expectRevoked(person, body['@id'])
    },
  }
}

beforeAll(async () => {
  kontomatik = await startLocalKontomatik({ importMs: 1500 })
  directory = await mkdtemp(join(tmpdir(), 'kill-'))
  service = new ServerProcess({
    NODE_ENV: 'development',
    DATA_DIR: directory,
    KONTOMATIK_URL: kontomatik.url,
    KONTOMATIK_API_KEY: kontomatik.apiKey,
    KONTOMATIK_REDIRECTS: back,
    STRIPE_URL: stripe.url,
    STRIPE_SECRET_KEY: stripe.secretKey,
    STRIPE_PUBLISHABLE_KEY: stripe.publishableKey,
    STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
  })
  await service.start()
  issuer = await ownIssuer(localIssuer, directory)
}, 120_000)

afterAll(async () => {
  process.kill(service.pid, 'SIGTERM')
  expect(await service.ended()).toBe(0)
  await kontomatik.stop()
  for (const folder of [directory, cluster]) await rm(folder, { recursive: true, force: true })
}, 60_000)

/** The client's timeout for Kontomatik: later the scenes have left the point where the server is killed. */
const maxStartMs = 20_000

/** Starts several scenes, kills the server with SIGKILL, and starts it again. */
function killedWhile(...scenes: [title: string, prepare: Prepare][]): void {
  describe('killed', () => {
    const outcomes = new Map<string, Promise<unknown>>()

    beforeAll(async () => {
      const persons = await newcomers(scenes.length)
      const prepared = await Promise.all(scenes.map(([, prepare], index) => prepare(persons[index])))
      const startedAt = Date.now()
      for (const scene of prepared) await scene.start?.()
      await Promise.all(prepared.map((scene) => scene.reach?.()))
      expect(Date.now() - startedAt).toBeLessThan(maxStartMs)
      await service.kill()
      kontomatik.clearFaults()
      for (const scene of prepared) scene.whileDown?.()
      await service.start()
      for (const [index, [title]] of scenes.entries()) outcomes.set(title, prepared[index].after())
      await Promise.allSettled(outcomes.values())
    }, 120_000)

    test.each(scenes)('%s', (title) => outcomes.get(title))
  })
}

const brings = 'new transactions are imported once'
const ends = 'the consent is ended'

killedWhile(
  [`while a session is requested, ${brings}`, duringPull('reuse', true)],
  [`while the import is started, ${brings}`, duringPull('default-import', false)],
  [`while the import is started in a session of the consent, ${brings}`, duringPull('default-import', true)],
  [`before the first poll, ${brings}`, duringPull(undefined, false)],
)

killedWhile(
  [`while the result is fetched, ${brings}`, duringPull('/command/', false)],
  ['right after the response, the next pull finds all data', afterPull],
  [`during the request that ends a consent, ${ends}`, duringRevocation('slow')],
  [`after a lost response about the end of a consent, ${ends}`, duringRevocation('lost')],
  [`while Kontomatik is down during a revocation, ${ends}`, duringRevocation('status')],
  ['during a sign-in, the integration can be finished later', duringSignIn],
)

/** New persons whose organizations have the module. */
async function newcomers(count: number): Promise<Person[]> {
  const persons = await Promise.all(Array.from({ length: count }, () => newcomer()))
  const postgres = await launch(directory)
  cluster = dirname(postgres.directory)
  await query(
    postgres,
    `UPDATE "organization_module" SET "enabled" = true, "source" = 'operator' WHERE "name" = 'banking'`,
  )
  await postgres.stop()
  return persons
}

let people = 0

async function newcomer(): Promise<Person> {
  const login = `person-${++people}`
  const person = { login, token: await issuer.sign({ sub: login }) }
  const { body } = await post(person, '/organizations', { name: login })
  await eventually(
    async () => (await ask(person, 'GET', body['@id'])).body.status,
    (status) => expect(status).toBe('active'),
  )
  return person
}

interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests read any property of a document
  body: any
}

async function ask({ token }: Person, method: string, path: string, body?: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/ld+json' }
  const response = await fetch(`http://127.0.0.1:${service.port}${path}`, {
    method,
    headers,
    body: body && JSON.stringify(body),
  })
  return { status: response.status, body: await response.json() }
}

const post = (person: Person, path: string, body: object) => ask(person, 'POST', path, body)

async function linkBank(person: Person): Promise<string> {
  const { body } = await post(person, setup, { redirectUri: back })
  await signIn(body.redirectUrl, { target: 'KontoBankApi', login: person.login })
  const { status, body: link } = await post(person, setup, { redirectionId: body.redirectionId })
  expect([status, link.status]).toEqual([201, 'active'])
  return link['@id']
}

/** Returns the result of the last import if it is new, else pulls and waits for the result. */
async function finishedPull(person: Person, integration: string) {
  const running = (await ask(person, 'GET', integration)).body
  if (running.status === 'active' && running.imported !== null && running.lastPulledAt) {
    const { updatedAt } = running
    if (Date.now() - Date.parse(updatedAt) < 6000 && returned.get(integration) !== updatedAt) {
      returned.set(integration, updatedAt)
      return running
    }
  }
  const { status, body } = await post(person, pull, { integration, since: '2026-01-01' })
  expect([status, body.detail]).toEqual([201, undefined])
  returned.set(integration, body.updatedAt)
  return body
}
const returned = new Map<string, string>()

async function transactions(person: Person, integration: string): Promise<number> {
  const { accounts } = (await ask(person, 'GET', integration)).body
  if (accounts.length === 0) return 0
  const query = accounts.map((iri: string) => `account=${iri}`).join('&')
  return (await ask(person, 'GET', `/bank-transactions?itemsPerPage=0&${query}`)).body.totalItems
}

/** How many equal transactions each day has: the emulator's data has one or two. */
async function countEqual(person: Person, integration: string): Promise<number[]> {
  const { accounts } = (await ask(person, 'GET', integration)).body
  const query = accounts.map((iri: string) => `account=${iri}`).join('&')
  const { body } = await ask(person, 'GET', `/bank-transactions?itemsPerPage=100&order[transactionOn]=desc&${query}`)
  const counts = new Map<string, number>()
  for (const { account, transactionOn, amount, text } of body.member) {
    const key = [account, transactionOn, amount, text].join()
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts.values()]
}

/** Revokes the integration, and checks that Kontomatik no longer knows the consent. */
async function expectRevoked(person: Person, integration: string, consents = kontomatik.idsOf(person.login).consents) {
  const { body } = await post(person, revoke, { integration })
  if (body.status !== 'revoked')
    await eventually(
      async () => (await ask(person, 'GET', integration)).body.status,
      (status) => expect(status).toBe('revoked'),
      40,
    )
  expect(consents).toHaveLength(1)
  const client = new Kontomatik({ url: kontomatik.url, apiKey: kontomatik.apiKey })
  await expect(client.reuseAccess(consents[0])).rejects.toMatchObject({ kind: 'access-gone' })
}

/** Waits until Kontomatik receives a request for a path, after `since` earlier requests. */
async function waitForRequest(since: number, path: string): Promise<void> {
  await eventually(
    () => kontomatik.requests.slice(since).map((one) => one.path),
    (paths) => expect(paths).toContainEqual(expect.stringContaining(path)),
    40,
  )
}
