import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Stripe from 'stripe'
import { options as kontomatikOptions } from '../../src/emulators/kontomatik/command.ts'
import { options as stripeOptions } from '../../src/emulators/stripe/command.ts'

async function start(script: string, args: string[], lastLine: string) {
  const child = spawn('npm', ['run', '-s', script, '--', '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    output += chunk
    if (output.includes(lastLine)) break
  }
  return { child, output, url: /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0] ?? '' }
}

async function stop(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}

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
  const stripe = new Stripe('sk_test_local', { host: '127.0.0.1', port: new URL(url).port, protocol: 'http' })
  expect((await stripe.customers.create({ name: 'Ada' })).name).toBe('Ada')
  expect((await received).type).toBe('customer.created')
  await stop(child)
  endpoint.close()
  await expect(fetch(url)).rejects.toThrow()
})

test('npm run kontomatik answers with its key and stops on SIGTERM', async () => {
  const { child, url } = await start('kontomatik', [], 'API key')
  const catalog = await fetch(`${url}/v1/command-catalog.xml`, { headers: { 'x-api-key': 'local-kontomatik' } })
  expect([catalog.status, await catalog.text()]).toEqual([200, expect.stringContaining('KontoBankApi')])
  await stop(child)
  await expect(fetch(url)).rejects.toThrow()
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
