import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kontomatik } from '../../src/banking/kontomatik.ts'
import { type LocalKontomatik, startLocalKontomatik } from '../../src/banking/local/local-kontomatik.ts'
import { eventually } from '../world/eventually.ts'
import { stripe } from '../world/index.ts'
import { signIn } from './linked.ts'

/** A server of its own, with a cluster of its own, and a Kontomatik that outlives it. */
let kontomatik: LocalKontomatik
let directory: string
let url: string
let environment: NodeJS.ProcessEnv
let server: { process: ChildProcess; token: string }
/** Where the cluster's data had to lie for the account that it runs as. */
let cluster: string | undefined
const back = 'http://localhost:5173/bank'
const [setup, pull, revoke] = ['setup', 'pull', 'revoke'].map((name) => `/integrations/kontomatik/${name}`)

beforeAll(async () => {
  kontomatik = await startLocalKontomatik({ pace: 1500 })
  directory = await mkdtemp(join(tmpdir(), 'kill-'))
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  environment = {
    ...process.env,
    NODE_ENV: 'development',
    PORT: `${port}`,
    DATA_DIR: directory,
    KONTOMATIK_URL: kontomatik.url,
    KONTOMATIK_API_KEY: kontomatik.apiKey,
    KONTOMATIK_REDIRECTS: back,
    STRIPE_URL: stripe.url,
    STRIPE_SECRET_KEY: stripe.secretKey,
    STRIPE_PUBLISHABLE_KEY: stripe.publishableKey,
    STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
  }
  server = await start()
}, 120_000)

afterEach(() => kontomatik.clearFaults())

afterAll(async () => {
  server.process.kill('SIGTERM')
  await once(server.process, 'exit')
  await kontomatik.stop()
  for (const folder of [directory, cluster ?? directory]) await rm(folder, { recursive: true, force: true })
}, 60_000)

/** The moments at which a pull may be cut: what holds Kontomatik up, and what must have been asked of it by then. */
const moments: [when: string, path: string | undefined, reused: boolean][] = [
  ['while a session is asked for', 'reuse', true],
  ['while the import is started', 'default-import', false],
  ['while the import is started in a session by consent', 'default-import', true],
  ['before the import was first looked at', undefined, false],
  ['while the result is fetched', '/command/7', false],
]

test.each(moments)(
  'killed %s, it brings what is new once',
  async (_, path, reused) => {
    const link = await linked(`pull-${moments.findIndex(([, one]) => one === path)}-${reused}`)
    if (reused) expect((await settledPull(link.integration)).status).toBe('active')
    const [imports, count] = [kontomatik.imports, await transactions(link.integration)]
    const method = path === '/command/7' ? 'GET' : 'POST'
    if (path) kontomatik.fault({ kind: 'slow', method, path, delay: 2000 })
    const seen = kontomatik.requests.length
    const asked = post(pull, { ...link, since: '2026-01-01' }).catch(() => undefined)
    await reached(seen, path ?? 'default-import')
    await sleep(path ? 100 : 400)
    await killed()
    await asked

    const ended = await settledPull(link.integration)
    expect(ended).toMatchObject({ status: 'active', lastError: null })
    expect(ended.accounts).toHaveLength(3)
    const lost = path === 'default-import' ? 1 : 0
    expect(kontomatik.imports - imports).toBeLessThanOrEqual(1 + lost)
    const after = await transactions(link.integration)
    expect(after).toBeGreaterThan(count - 1)
    expect(new Set(await equals(link.integration))).toEqual(new Set([1, 2]))
    await revoked(link.integration)
  },
  90_000,
)

test('killed right after its answer, the next pull finds all in its place', async () => {
  const link = await linked('after')
  const first = await settledPull(link.integration)
  const count = await transactions(link.integration)
  await killed()
  expect((await ask('GET', link.integration)).body).toEqual(first)
  expect((await settledPull(link.integration)).imported).toBe(0)
  expect(await transactions(link.integration)).toBe(count)
  await revoked(link.integration)
}, 90_000)

test.each([
  ['while Kontomatik is told', 'slow'],
  ['when Kontomatik has done it and its answer was lost', 'lost'],
  ['while Kontomatik cannot be had', 'status'],
] as const)(
  'killed in a revocation %s, the consent is ended all the same',
  async (_, kind) => {
    const link = await linked(`revoke-${kind}`)
    const consent = kontomatik.requests.length
    kontomatik.fault({ kind, path: 'delete-multiple-access', delay: 2000, times: kind === 'status' ? 99 : 1 })
    const asked = post(revoke, link).catch(() => undefined)
    await reached(consent, 'delete')
    await sleep(100)
    await killed()
    await asked
    if (kind === 'status') expect((await ask('GET', link.integration)).body.status).toBe('revoking')
    kontomatik.clearFaults()
    if (kind === 'status') expect((await post(revoke, link)).status).toBeLessThan(203)
    await revoked(link.integration)
  },
  90_000,
)

test('killed while somebody signs in, the link is there to be finished', async () => {
  const { body } = await post(setup, { redirectUri: back })
  await signIn(body.redirectUrl, { target: 'BohemiaApi', login: 'signing' })
  kontomatik.fault({ kind: 'slow', path: 'redirection-status', delay: 1500 })
  const asked = post(setup, { redirectionId: body.redirectionId }).catch(() => undefined)
  await sleep(200)
  await killed()
  await asked
  expect((await ask('GET', body['@id'])).body.status).toBe('pending')
  expect((await post(setup, { redirectionId: body.redirectionId })).body.status).toBe('active')
  await revoked(body['@id'])
}, 90_000)

async function start() {
  const child = spawn(process.execPath, ['dist/src/server.js'], { env: environment })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const token = await new Promise<string>((resolve, reject) => {
    child.on('exit', () => reject(new Error(said)))
    child.stdout.on('data', (chunk) => {
      said += chunk
      const found = /Token for the owner of the demo: (\S+)"/.exec(said)?.[1]
      if (found) resolve(found)
    })
  })
  const data = /its data in (\S+)"/.exec(said)?.[1]
  if (data) cluster ??= join(data, '..')
  return { process: child, token }
}

/** Kills the server as the kernel would, and starts it again. */
async function killed(): Promise<void> {
  server.process.kill('SIGKILL')
  await once(server.process, 'exit')
  server = await start()
}

// biome-ignore lint/suspicious/noExplicitAny: documents are asked whatever they have
async function ask(method: string, path: string, body?: object): Promise<{ status: number; body: any }> {
  const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/ld+json' }
  const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) })
  return { status: response.status, body: await response.json() }
}

const post = (path: string, body: object) => ask('POST', path, body)

/** A bank that is linked anew would take the place of the former, so each is ended by its test. */
async function linked(login: string): Promise<{ integration: string }> {
  const { body } = await post(setup, { redirectUri: back })
  await signIn(body.redirectUrl, { target: 'KontoBankApi', login })
  const { status, body: link } = await post(setup, { redirectionId: body.redirectionId })
  expect([status, link.status]).toEqual([201, 'active'])
  return { integration: link['@id'] }
}

/** Pulls until it is done: joins what runs, or has what it brought told. */
async function settledPull(integration: string) {
  const running = (await ask('GET', integration)).body
  if (running.status === 'active' && running.imported !== null && running.lastPulledAt) {
    const { updatedAt } = running
    if (Date.now() - Date.parse(updatedAt) < 6000 && taken.get(integration) !== updatedAt) {
      taken.set(integration, updatedAt)
      return running
    }
  }
  const { status, body } = await post(pull, { integration, since: '2026-01-01' })
  expect([status, body.detail]).toEqual([201, undefined])
  taken.set(integration, body.updatedAt)
  return body
}
const taken = new Map<string, string>()

async function transactions(integration: string): Promise<number> {
  const { accounts } = (await ask('GET', integration)).body
  if (accounts.length === 0) return 0
  const query = accounts.map((iri: string) => `account=${iri}`).join('&')
  return (await ask('GET', `/bank-transactions?itemsPerPage=0&${query}`)).body.totalItems
}

/** How many transactions of a day are alike: the coffees of a Monday are two, and nothing is three. */
async function equals(integration: string): Promise<number[]> {
  const { accounts } = (await ask('GET', integration)).body
  const query = accounts.map((iri: string) => `account=${iri}`).join('&')
  const { body } = await ask('GET', `/bank-transactions?itemsPerPage=100&order[transactionOn]=desc&${query}`)
  const counts = new Map<string, number>()
  for (const { account, transactionOn, amount, text } of body.member) {
    const key = [account, transactionOn, amount, text].join()
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts.values()]
}

/** Ends the consent, and has Kontomatik say that it knows it no more. */
async function revoked(integration: string): Promise<void> {
  const { body } = await post(revoke, { integration })
  if (body.status !== 'revoked')
    await eventually(
      async () => (await ask('GET', integration)).body.status,
      (status) => expect(status).toBe('revoked'),
      40,
    )
  const ended = kontomatik.requests.filter(({ path }) => path.includes('delete-multiple-access')).at(-1)
  const multipleAccessId = new URLSearchParams(ended?.body).get('multipleAccessId') ?? ''
  const client = new Kontomatik({ url: kontomatik.url, apiKey: kontomatik.apiKey })
  await expect(client.reuseAccess(multipleAccessId)).rejects.toMatchObject({ kind: 'access-gone' })
}

/** Waits until Kontomatik is asked for something, after so many requests. */
async function reached(since: number, path: string): Promise<void> {
  await eventually(
    () => kontomatik.requests.slice(since).map((one) => one.path),
    (paths) => expect(paths).toContainEqual(expect.stringContaining(path)),
    40,
  )
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}
