import { type Ask, type Attack, attackedServer, type Waits, waitsUnder } from '../support/requests/attack-load.ts'
import type { Tenant } from '../support/world.ts'

/** A busy machine delays one run; a fault delays every run. */
import.meta.jest.retryTimes(2, { logErrorsBeforeRetry: true })

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))

const footer = (ask: Ask, { users: { owner } }: Tenant, mailFooter: string) =>
  ask({
    user: owner,
    method: 'PATCH',
    path: '/organizations/mail-footer',
    headers: { 'Content-Type': 'application/merge-patch+json' },
    body: JSON.stringify({ mailFooter }),
  })

const styled = (value: string) => `<p style="color:${value}">x</p>`

/** Footers whose cleaning takes long: by the style patterns, by the depth of tags, by the number of attributes. */
const footers = [
  styled(`${'a   '.repeat(49)}~`),
  styled(`${'1 '.repeat(99)}~`),
  styled(`rgb(${' '.repeat(190)}~`),
  '<b>'.repeat(6_000),
  `<p ${'style="color:red" '.repeat(1_100)}>x</p>`,
  `<p style="${'color:a a;'.repeat(1_900)}">x</p>`,
  '<'.repeat(19_000),
  '&'.repeat(19_000),
  `<a href="${' '.repeat(19_000)}x">x</a>`,
  `<!--${'-'.repeat(19_000)}`,
]

/** Header values of the greatest length that Node reads, each made for a pattern that could look at it twice. */
const headers: [name: string, value: string][] = [
  ['Prefer', `a${' '.repeat(15_000)}b`],
  ['Prefer', `${'a="'.repeat(5_000)}`],
  ['Prefer', 'a;'.repeat(7_000)],
  ['Accept', `text/html;${' '.repeat(15_000)}x`],
  ['Accept', `${';q='.repeat(5_000)}`],
  ['Accept', '"'.repeat(14_999)],
  ['Accept-Language', `nl${' '.repeat(15_000)}x`],
  ['Accept-Language', 'nl-'.repeat(5_000)],
  ['Accept-Language', 'a,'.repeat(7_500)],
  ['If-None-Match', `${'"a",'.repeat(3_700)}`],
  ['If-None-Match', `"${' '.repeat(14_000)}`],
  ['Authorization', `Bearer${' '.repeat(15_000)}!`],
  ['Authorization', `Bearer ${'='.repeat(15_000)}!`],
  ['X-Forwarded-For', `${' ,'.repeat(7_500)}`],
  ['Content-Type', `application/json;${' '.repeat(14_000)}x`],
]

/** 77 kB of JSON-LD within every bound, for which the thread takes the second that it gives: each level has a context. */
const slowBody = () => {
  const chain = (levels: number): object => (levels > 0 ? { p: chain(levels - 1) } : {})
  const terms = Object.fromEntries(times(900, (n) => [`t${n}`, `https://schema.org/${n}`]))
  const p = { '@id': 'https://schema.org/p', '@context': terms }
  return JSON.stringify({ '@context': { p }, p: times(300, () => chain(28)) })
}

const attacks: Record<string, Attack> = {
  'footers that take long to clean': (ask, tenant) => Promise.all(footers.map((html) => footer(ask, tenant, html))),
  'headers with long runs of spaces, quotes and commas': (ask) =>
    Promise.all(
      headers.flatMap(([name, value]) => times(4, () => ask({ path: '/countries', headers: { [name]: value } }))),
    ),
  'queries with thousands of parameters and long values': (ask, { users: { owner } }) =>
    Promise.all(
      ['properties[]=name&', 'a=&', 'name=&name[]=&', 'order[name]=&', `q=${'%25'.repeat(4_000)}&`, '%', '+'].flatMap(
        (piece) =>
          times(4, () =>
            ask({ user: owner, path: `/locations?${piece.repeat(Math.floor(14_000 / piece.length) || 1)}` }),
          ),
      ),
    ),
  'bodies of JSON-LD that take a second each': (ask, { users }) =>
    Promise.all(
      times(31, (n) => ask({ user: n % 2 ? users.owner : users.admin, path: '/locations', body: slowBody() })),
    ),
}

describe.each([1])('Against %i serving process(es)', (workers) => {
  const service = attackedServer(workers)
  beforeAll(() => service.start(), 60_000)
  afterAll(() => service.close())

  test.each(Object.entries(attacks))(
    '%s do not make another tenant wait more than 250 ms for an item',
    async (_, attack) => {
      expectPrompt(await waitsUnder(service, workers, attack), 250)
    },
  )

  test('another tenant waits for a small body of JSON-LD no longer than for one slow body and a new thread', async () => {
    const small = JSON.stringify({ '@context': { '@vocab': 'https://schema.org/' }, name: 'Quick', colour: 'red' })
    const attack = attacks['bodies of JSON-LD that take a second each']
    const probe = () => ({ path: '/locations', headers: { Prefer: 'return=minimal' }, body: small })
    expectPrompt(await waitsUnder(service, workers, attack, probe), 4000)
  })
})

/** The wait of an idle process is the machine's own. */
function expectPrompt({ calm, attacked }: { calm: Waits; attacked: Waits }, milliseconds: number): void {
  process.stderr.write(`calm ${JSON.stringify(calm)}, attacked ${JSON.stringify(attacked)}\n`)
  expect(attacked.count).toBeGreaterThan(0)
  expect(attacked.max - calm.max).toBeLessThan(milliseconds)
}
