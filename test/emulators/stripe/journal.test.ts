import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripeClient } from '../../../src/billing/stripe/stripe-client.ts'
import { startLocalStripe } from '../../../src/emulators/stripe/server.ts'

/*
 * Where else a kept file could come back half: mails and keys are renamed into place, the local Kontomatik's state too. A change
 * of several things at once is one line of the journal.
 */
const directory = await mkdtemp(join(tmpdir(), 'journal-'))
afterAll(() => rm(directory, { recursive: true }))

test('a line of the journal that was cut short is left out, and the next change follows whole lines', async () => {
  const journal = join(directory, 'cut.jsonl')
  const first = await startLocalStripe({ journal })
  const customer = await stripeClient(first).customers.create({ name: 'Ada' })
  await first.stop()
  const whole = await readFile(journal, 'utf8')
  await writeFile(journal, `${whole}[{"kind":"customer","id":"cus_half"`)

  for (const name of ['Bea', 'Cleo']) {
    const next = await startLocalStripe({ journal })
    expect((await stripeClient(next).customers.retrieve(customer.id)).id).toBe(customer.id)
    await stripeClient(next).customers.create({ name })
    await next.stop()
  }
  const last = await startLocalStripe({ journal })
  const { data } = await stripeClient(last).customers.list()
  expect(data.map(({ name }) => name)).toEqual(['Cleo', 'Bea', 'Ada'])
  await last.stop()
})

test('the things that one request changes are one line of the journal', async () => {
  const journal = join(directory, 'line.jsonl')
  const local = await startLocalStripe({ journal, webhookUrl: 'http://127.0.0.1:9' })
  const before = (await readFile(journal, 'utf8')).split('\n').length
  await stripeClient(local).customers.create({ name: 'Ada' })
  const lines = (await readFile(journal, 'utf8')).split('\n')
  expect(lines.length).toBe(before + 1)
  const kinds = JSON.parse(lines.at(-2) as string).map(({ kind }: { kind: string }) => kind)
  expect(kinds.sort()).toEqual(['customer', 'event'])
  await local.stop()
})

test('a journal that is damaged in its middle is named with the line', async () => {
  const journal = join(directory, 'damaged.jsonl')
  await (await startLocalStripe({ journal })).stop()
  await appendFile(journal, 'nonsense\n{}\n')
  await expect(startLocalStripe({ journal })).rejects.toThrow(/damaged\.jsonl is damaged at line \d+: move it away/)
})
