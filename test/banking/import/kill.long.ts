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
import { stripe } from '../../support/world.ts'
import { signIn } from '../linked-bank.ts'

/** Somebody with an organization and a bank of their own: what one is in the middle of is nobody else's. */
interface Person {
  login: string
  token: string
}

/** What somebody is in the middle of when the server is killed. */
interface Scene {
  /** Goes as far as where the server is to be killed. */
  begin?(): Promise<unknown>
  /** The same, beside others: waits until it is there. */
  reach?(): Promise<unknown>
  /** Done while it is dead. */
  meanwhile?(): void
  /** Checks what has come of it, once the server is back. */
  after(): Promise<unknown>
}

type Prepare = (person: Person) => Promise<Scene>

/** A server of its own, with a cluster of its own, and a Kontomatik that outlives it. */
let kontomatik: LocalKontomatik
let directory: string
let service: ServerProcess
let issuer: OwnIssuer
/** Where the cluster's data had to lie for the account that it runs as. */
let cluster: string
const back = 'http://localhost:5173/bank'
const [setup, pull, revoke] = ['setup', 'pull', 'revoke'].map((name) => `/integrations/kontomatik/${name}`)

/** What holds Kontomatik up while a pull is cut there. */
type Held = 'reuse' | 'default-import' | '/command/' | undefined

/** Holds up what Kontomatik is asked next until the server is dead; it is done all the same. */
const held = 60_000
const hold = (fault: Partial<Fault>) => kontomatik.fault({ kind: 'slow', delay: held, ...fault })

function pulling(path: Held, reused: boolean): Prepare {
  return async (person) => {
    const link = await linked(person)
    if (reused) expect((await settledPull(person, link)).status).toBe('active')
    const known = kontomatik.of(person.login).imports.length
    const imports = () => kontomatik.of(person.login).imports.slice(known)
    const count = await transactions(person, link)
    let fetching = ''
    return {
      async begin() {
        const seen = kontomatik.requests.length
        const starting = path !== '/command/' ? path : undefined
        if (starting) hold({ method: 'POST', path: starting })
        post(person, pull, { integration: link, since: '2026-01-01' }).catch(() => {})
        if (starting) return reached(seen, starting)
        const [command] = await eventually(imports, (begun) => expect(begun).toHaveLength(1))
        fetching = `/command/${command}`
        if (path) hold({ method: 'GET', path: fetching })
        else await sleep(400)
      },
      reach: async () => path === '/command/' && reached(0, fetching),
      async after() {
        const ended = await settledPull(person, link)
        expect(ended).toMatchObject({ status: 'active', lastError: null })
        expect(ended.accounts).toHaveLength(3)
        const lost = path === 'default-import' ? 1 : 0
        expect(imports().length).toBeLessThanOrEqual(1 + lost)
        const after = await transactions(person, link)
        expect(after).toBeGreaterThan(count - 1)
        expect(new Set(await equals(person, link))).toEqual(new Set([1, 2]))
        await revoked(person, link)
      },
    }
  }
}

async function pulled(person: Person): Promise<Scene> {
  const link = await linked(person)
  let first: object
  let count: number
  return {
    async reach() {
      first = await settledPull(person, link)
      count = await transactions(person, link)
    },
    async after() {
      expect((await ask(person, 'GET', link)).body).toEqual(first)
      expect((await settledPull(person, link)).imported).toBe(0)
      expect(await transactions(person, link)).toBe(count)
      await revoked(person, link)
    },
  }
}

function revoking(kind: 'slow' | 'lost' | 'status'): Prepare {
  return async (person) => {
    const integration = await linked(person)
    const [consent] = kontomatik.of(person.login).consents
    const times = kind === 'status' ? 99 : 1
    const fault = () => kontomatik.fault({ kind, path: 'delete', body: consent, delay: held, times })
    return {
      async begin() {
        fault()
        const seen = kontomatik.requests.length
        post(person, revoke, { integration }).catch(() => {})
        await reached(seen, 'delete')
        await sleep(100)
      },
      meanwhile: kind === 'status' ? fault : undefined,
      async after() {
        if (kind === 'status') expect((await ask(person, 'GET', integration)).body.status).toBe('revoking')
        kontomatik.clearFaults()
        if (kind === 'status') expect((await post(person, revoke, { integration })).status).toBeLessThan(203)
        await revoked(person, integration, [consent])
      },
    }
  }
}

async function signingIn(person: Person): Promise<Scene> {
  const { body } = await post(person, setup, { redirectUri: back })
  await signIn(body.redirectUrl, { target: 'BohemiaApi', login: person.login })
  const { redirectionId } = body
  return {
    async begin() {
      hold({ path: 'redirection-status' })
      const seen = kontomatik.requests.length
      post(person, setup, { redirectionId }).catch(() => {})
      await reached(seen, 'redirection-status')
    },
    async after() {
      expect((await ask(person, 'GET', body['@id'])).body.status).toBe('pending')
      expect((await post(person, setup, { redirectionId })).body.status).toBe('active')
      await revoked(person, body['@id'])
    },
  }
}

beforeAll(async () => {
  kontomatik = await startLocalKontomatik({ pace: 1500 })
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

/** Longer than Kontomatik is waited for, nobody is where they are to be when the server is killed. */
const patience = 20_000

/** Brings several to where each is to be, kills the server as the kernel would, and starts it again; as many as have their turn at once. */
function killedWhile(...scenes: [title: string, prepare: Prepare][]): void {
  describe('killed', () => {
    const outcomes = new Map<string, Promise<unknown>>()

    beforeAll(async () => {
      const persons = await newcomers(scenes.length)
      const prepared = await Promise.all(scenes.map(([, prepare], index) => prepare(persons[index])))
      const began = Date.now()
      for (const scene of prepared) await scene.begin?.()
      await Promise.all(prepared.map((scene) => scene.reach?.()))
      expect(Date.now() - began).toBeLessThan(patience)
      await service.kill()
      kontomatik.clearFaults()
      for (const scene of prepared) scene.meanwhile?.()
      await service.start()
      for (const [index, [title]] of scenes.entries()) outcomes.set(title, prepared[index].after())
      await Promise.allSettled(outcomes.values())
    }, 120_000)

    test.each(scenes)('%s', (title) => outcomes.get(title))
  })
}

const brings = 'it brings what is new once'
const ends = 'the consent is ended all the same'

killedWhile(
  [`while a session is asked for, ${brings}`, pulling('reuse', true)],
  [`while the import is started, ${brings}`, pulling('default-import', false)],
  [`while the import is started in a session by consent, ${brings}`, pulling('default-import', true)],
  [`before the import was first looked at, ${brings}`, pulling(undefined, false)],
)

killedWhile(
  [`while the result is fetched, ${brings}`, pulling('/command/', false)],
  ['right after its answer, the next pull finds all in its place', pulled],
  [`in a revocation while Kontomatik is told, ${ends}`, revoking('slow')],
  [`in a revocation when Kontomatik has done it and its answer was lost, ${ends}`, revoking('lost')],
  [`in a revocation while Kontomatik cannot be had, ${ends}`, revoking('status')],
  ['while somebody signs in, the link is there to be finished', signingIn],
)

/** So many, who have the module. */
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
  // biome-ignore lint/suspicious/noExplicitAny: documents are asked whatever they have
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

async function linked(person: Person): Promise<string> {
  const { body } = await post(person, setup, { redirectUri: back })
  await signIn(body.redirectUrl, { target: 'KontoBankApi', login: person.login })
  const { status, body: link } = await post(person, setup, { redirectionId: body.redirectionId })
  expect([status, link.status]).toEqual([201, 'active'])
  return link['@id']
}

/** Pulls until it is done: joins what runs, or has what it brought told. */
async function settledPull(person: Person, integration: string) {
  const running = (await ask(person, 'GET', integration)).body
  if (running.status === 'active' && running.imported !== null && running.lastPulledAt) {
    const { updatedAt } = running
    if (Date.now() - Date.parse(updatedAt) < 6000 && taken.get(integration) !== updatedAt) {
      taken.set(integration, updatedAt)
      return running
    }
  }
  const { status, body } = await post(person, pull, { integration, since: '2026-01-01' })
  expect([status, body.detail]).toEqual([201, undefined])
  taken.set(integration, body.updatedAt)
  return body
}
const taken = new Map<string, string>()

async function transactions(person: Person, integration: string): Promise<number> {
  const { accounts } = (await ask(person, 'GET', integration)).body
  if (accounts.length === 0) return 0
  const query = accounts.map((iri: string) => `account=${iri}`).join('&')
  return (await ask(person, 'GET', `/bank-transactions?itemsPerPage=0&${query}`)).body.totalItems
}

/** How many transactions of a day are alike: the coffees of a Monday are two, and nothing is three. */
async function equals(person: Person, integration: string): Promise<number[]> {
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

/** Ends the consent, and has Kontomatik say that it knows it no more. */
async function revoked(person: Person, integration: string, consents = kontomatik.of(person.login).consents) {
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

/** Waits until Kontomatik is asked for something, after so many requests. */
async function reached(since: number, path: string): Promise<void> {
  await eventually(
    () => kontomatik.requests.slice(since).map((one) => one.path),
    (paths) => expect(paths).toContainEqual(expect.stringContaining(path)),
    40,
  )
}
