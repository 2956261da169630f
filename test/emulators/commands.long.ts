import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Stripe from 'stripe'
import { options as kontomatikOptions } from '../../src/emulators/kontomatik/command.ts'
import { options as stripeOptions } from '../../src/emulators/stripe/command.ts'

async function start(script: string, args: string[], lastLine: string) {
  const child = spawn('npm', ['run', '-s', script, '--', '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  let output = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    output += chunk
    if (output.includes(lastLine)) break
  }
  return { child, output, url: /http:\/\/127\.0\.0\.\d:\d+/.exec(output)?.[0] ?? '' }
}

async function stop(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}

/** Sends what Ctrl-C sends: a SIGINT to npm and to the emulator at once. */
async function pressCtrlC(child: ChildProcess): Promise<number> {
  const exit = once(child, 'exit')
  process.kill(-(child.pid as number), 'SIGINT')
  const [code] = await exit
  return code
}

/** Runs a command that must end by itself. */
async function refused(script: string, args: string[]): Promise<{ code: number; message: string }> {
  const child = spawn('npm', ['run', '-s', script, '--', '--port', '0', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let message = ''
  child.stderr.on('data', (chunk) => {
    message += chunk
  })
  const [code] = await once(child, 'close')
  return { code, message }
}

const clientAt = (url: string, key = 'sk_test_local') => {
  const { hostname: host, port } = new URL(url)
  return new Stripe(key, { host, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false })
}

const kontomatikHeaders = { 'x-api-key': 'local-kontomatik' }

test('npm run stripe answers the real client, delivers a signed event and stops on SIGTERM', async () => {
  let receive: (event: Stripe.Event) => void
  const received = new Promise<Stripe.Event>((resolve) => {
    receive = resolve
  })
  const endpoint = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const signature = String(request.headers['stripe-signature'])
    receive(Stripe.webhooks.constructEvent(Buffer.concat(chunks), signature, 'whsec_local'))
    response.end()
  }).listen(0, '127.0.0.1')
  await once(endpoint, 'listening')
  const webhookUrl = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/`
  const { child, output, url } = await start('stripe', ['--webhook-url', webhookUrl], 'Webhook endpoint')
  expect(output).toContain('Secret key: sk_test_local')
  const stripe = clientAt(url)
  expect((await stripe.customers.create({ name: 'Ada' })).name).toBe('Ada')
  expect((await received).type).toBe('customer.created')
  await stop(child)
  endpoint.close()
  await expect(fetch(url)).rejects.toThrow()
})

test('npm run kontomatik answers with its key and stops on SIGTERM', async () => {
  const { child, url } = await start('kontomatik', [], 'API key')
  const catalog = await fetch(`${url}/v1/command-catalog.xml`, { headers: kontomatikHeaders })
  expect([catalog.status, await catalog.text()]).toEqual([200, expect.stringContaining('KontoBankApi')])
  await stop(child)
  await expect(fetch(url)).rejects.toThrow()
})

test('Ctrl-C ends npm run stripe with exit code 0, and its journal has every change', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stripe-command-'))
  const journal = join(folder, 'stripe.jsonl')
  const first = await start('stripe', ['--journal', journal], 'Webhook endpoint')
  const names = Array.from({ length: 30 }, (_, number) => `customer ${number}`)
  await Promise.all(names.map((name) => clientAt(first.url).customers.create({ name })))
  const code = await pressCtrlC(first.child)
  const text = await readFile(journal, 'utf8')
  const second = await start('stripe', ['--journal', journal], 'Webhook endpoint')
  const { data } = await clientAt(second.url).customers.list({ limit: 100 })
  await stop(second.child)
  await rm(folder, { recursive: true })

  expect(code).toBe(0)
  expect(text.endsWith('\n')).toBe(true)
  expect(() =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).not.toThrow()
  expect(data.map(({ name }) => name).sort()).toEqual(names.sort())
})

test('Ctrl-C ends npm run kontomatik with exit code 0, and its journal has every change', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kontomatik-command-'))
  const journal = join(folder, 'kontomatik.json')
  const first = await start('kontomatik', ['--journal', journal], 'API key')
  await fetch(`${first.url}/local/advance`, {
    method: 'POST',
    headers: { ...kontomatikHeaders, 'content-type': 'application/json' },
    body: JSON.stringify({ days: 100 }),
  })
  const code = await pressCtrlC(first.child)
  const second = await start('kontomatik', ['--journal', journal], 'API key')
  await fetch(`${second.url}/v1/command-catalog.xml`, { headers: kontomatikHeaders })
  const requests = await fetch(`${second.url}/local/requests`, { headers: kontomatikHeaders })
  const [{ at }] = (await requests.json()) as { at: string }[]
  await stop(second.child)
  await rm(folder, { recursive: true })

  expect(code).toBe(0)
  expect(Date.parse(at)).toBeGreaterThan(Date.now() + 99 * 86_400_000)
})

test('--host and --public-url of npm run stripe set where it listens and what its links begin with', async () => {
  const { child, url } = await start(
    'stripe',
    ['--host', '127.0.0.2', '--public-url', 'https://stripe.example/emulator/'],
    'Webhook endpoint',
  )
  const stripe = clientAt(url)
  const { id: customer } = await stripe.customers.create({ payment_method: 'pm_card_visa' })
  const [{ id: price }] = (await stripe.prices.list({ lookup_keys: ['seat_monthly'] })).data
  const { latest_invoice } = await stripe.subscriptions.create({
    customer,
    items: [{ price }],
    payment_behavior: 'default_incomplete',
    expand: ['latest_invoice'],
  })
  await expect(fetch(url.replace('127.0.0.2', '127.0.0.1'))).rejects.toThrow()
  await stop(child)

  expect(url).toMatch('http://127.0.0.2:')
  expect((latest_invoice as Stripe.Invoice).hosted_invoice_url).toMatch(
    'https://stripe.example/emulator/local/invoices/',
  )
})

test('--host and --public-url of npm run kontomatik set where it listens and what its links begin with', async () => {
  const { child, url } = await start(
    'kontomatik',
    ['--host', '127.0.0.2', '--public-url', 'https://bank.example/emulator'],
    'API key',
  )
  const response = await fetch(`${url}/v1/signin/redirection`, {
    method: 'POST',
    headers: { ...kontomatikHeaders, 'content-type': 'application/json' },
    body: JSON.stringify({ redirectUri: 'https://app.example/', psd2: { accessMode: 'SINGLE' } }),
  })
  await expect(fetch(url.replace('127.0.0.2', '127.0.0.1'))).rejects.toThrow()
  await stop(child)

  expect(url).toMatch('http://127.0.0.2:')
  expect(((await response.json()) as { redirectionLink: string }).redirectionLink).toMatch(
    'https://bank.example/emulator/signin/',
  )
})

test.each(['stripe', 'kontomatik'])('npm run %s refuses a public URL that is not one', async (script) => {
  expect(await refused(script, ['--public-url', 'stripe.example'])).toEqual({
    code: 1,
    message: '--public-url must be an http or https URL without query, not "stripe.example".\n',
  })
})

test('npm run stripe refuses a live key, as its own key and in requests', async () => {
  expect(await refused('stripe', ['--secret-key', 'sk_live_0123456789'])).toEqual({
    code: 1,
    message: 'A live key is for Stripe itself. Give the emulator a test key.\n',
  })
  const { child, url } = await start('stripe', [], 'Webhook endpoint')
  const error = await clientAt(url, 'sk_live_0123456789')
    .customers.list()
    .catch((reason) => reason)
  await stop(child)
  expect(error).toMatchObject({
    type: 'StripeAuthenticationError',
    statusCode: 401,
    code: 'invalid_api_key',
    message: 'Invalid API Key provided: sk_live_******6789',
  })
})

test.each([
  ['stripe', stripeOptions],
  ['kontomatik', kontomatikOptions],
])('the README of the %s emulator lists every option', async (name, options) => {
  const readme = await readFile(`src/emulators/${name}/README.md`, 'utf8')
  const listed = Array.from(readme.matchAll(/^\| `--([a-z-]+)` \| `(\w+)`/gm), ([, option, variable]) => [
    option,
    variable,
  ])
  expect(listed).toEqual(Object.entries(options).map(([option, { variable }]) => [option, variable]))
})
