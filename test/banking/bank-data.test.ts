import jsonld from 'jsonld'
import { BankAccount, BankTransaction, Integration } from '../../entities/index.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, given, publicUrl, tenant } = await openWorld()

const { member, admin } = tenant.users
const iban = 'NL91ABNA0417164300'

const integration = await given(Integration, { status: 'active', officialName: 'KontoBank' })
const current = await given(BankAccount, {
  integration,
  reference: 'a',
  name: 'Current',
  iban,
  currency: 'EUR',
  balance: '100.10',
})
const card = await given(BankAccount, { integration, reference: 'b', name: 'Card •••• 1234', currency: 'PLN' })
const day = (n: number) => `2026-02-${String(n).padStart(2, '0')}`
for (let n = 1; n <= 12; n++)
  await given(BankTransaction, {
    account: n % 4 === 0 ? card : current,
    transactionOn: day(n),
    bookedOn: n > 10 ? null : day(n + 1),
    amount: `${n % 2 ? '-' : ''}${n}.50`,
    currency: n % 4 === 0 ? 'PLN' : 'EUR',
    party: n % 3 === 0 ? 'Zarządca' : 'Green Shop',
    partyIban: 'PL61109010140000071219812874',
    text: n === 5 ? 'Invoice 7' : null,
    kind: n % 3 === 0 ? 'TRANSFER' : 'CARD',
    status: n > 10 ? 'PENDING' : 'DONE',
  })

const amounts = async (query: string) => {
  const { status, body } = await api.get(`/bank-transactions?itemsPerPage=100&${query}`)
  expect([query, status, body.totalItems]).toEqual([query, 200, body.member?.length])
  return body.member.map(({ amount }: { amount: string }) => amount)
}

test('an account shows its balances as decimal strings and links to its integration', async () => {
  const { body } = await api.get(`/bank-accounts/${current.id}`)
  expect(body).toMatchObject({
    '@type': 'BankAccount',
    name: 'Current',
    iban,
    currency: 'EUR',
    balance: '100.10',
    availableBalance: null,
    integration: `/integrations/${integration.id}`,
  })
  expect((await api.get(body.integration)).body.accounts).toEqual(
    [card, current].map(({ id }) => `/bank-accounts/${id}`),
  )
  const [node] = await jsonld.expand(
    { ...body, '@context': (await api.get(body['@context'])).body['@context'] },
    { base: publicUrl },
  )
  expect(JSON.stringify(node)).toContain('{"@type":"http://www.w3.org/2001/XMLSchema#decimal","@value":"100.10"}')
  expect(JSON.stringify(node)).toContain('"https://schema.org/name":[{"@value":"Current"}]')
})

test('members see the account without its full number', async () => {
  const { body } = await as(member).get(`/bank-accounts/${current.id}`)
  expect([body.iban, body.name, body.integration]).toEqual(['NL91••…4300', 'Current', null])
  expect((await as(member).get('/bank-accounts')).text).not.toContain(iban)
  expect((await as(member).get('/bank-accounts.csv')).text).not.toContain(iban)
  const page = await as(member).get('/bank-transactions?itemsPerPage=100')
  expect(page.body.member[0].partyIban).toBe('PL61••…2874')
  expect(page.text).not.toContain('1090101400')
  expect((await as(admin).get('/bank-transactions')).body.member[0].partyIban).toBe('PL61109010140000071219812874')
})

test('accounts and transactions are read-only for every role', async () => {
  for (const path of ['/bank-accounts', '/bank-transactions']) {
    expect((await api.post(path, {})).status).toBe(405)
    expect((await api.patch(`${path}/${current.id}`, {})).status).toBe(405)
    expect((await as().get(path)).status).toBe(401)
  }
})

test.each([
  [`account=/bank-accounts/${card.id}`, 3],
  [`account=/bank-accounts/${card.id}&account=/bank-accounts/${current.id}`, 12],
  ['bookedOn[after]=2026-02-05&bookedOn[strictly_before]=2026-02-08', 3],
  ['exists[bookedOn]=false', 2],
  ['transactionOn[strictly_after]=2026-02-10', 2],
  ['amount[gte]=4.5&amount[lte]=8.50', 3],
  ['amount[between]=-5.5..2.5', 4],
  ['amount[lt]=-11', 1],
  ['kind=TRANSFER', 4],
  ['kind=TRANSFER&kind=CARD', 12],
  ['status=PENDING', 2],
  ['currency=PLN', 3],
  ['q=invoice', 1],
  ['q=ZARZĄDCA', 4],
  ['q=shop&kind=TRANSFER', 0],
])('%s finds %d', async (query, count) => {
  expect(await amounts(query)).toHaveLength(count)
})

test.each([
  ...['x', '2026-02-30', '0000-01-01', '9999-12-31T23:00:00-02:00'].map((bad) => ['bookedOn[after]', bad]),
  ...['x', '1e3', '1,50', '9'.repeat(20), '1..2'].map((bad) => ['amount[gt]', bad]),
  ...['1', 'a..b'].map((bad) => ['amount[between]', bad]),
])('%s=%s is refused, and the problem names the parameter', async (name, bad) => {
  const { status, body } = await api.get(`/bank-transactions?${encodeURIComponent(name)}=${encodeURIComponent(bad)}`)
  expect([status, body.detail]).toEqual([400, expect.stringContaining(`"${name}"`)])
})

test.each([
  'order[transactionOn]=desc',
  'order[amount]=asc',
  'order[transactionOn]=asc&order[amount]=desc',
  'order[id]=desc',
])('paging by %s returns each transaction once', async (order) => {
  const all = await amounts(order)
  const met: string[] = []
  for (let path: string | undefined = `/bank-transactions?itemsPerPage=5&${order}`; path; ) {
    const { status, body } = await api.get(path)
    expect(status).toBe(200)
    met.push(...body.member.map(({ amount }: { amount: string }) => amount))
    path = body.view.next
  }
  expect([met.length, met]).toEqual([12, all])
  const forged = Buffer.from(JSON.stringify(['soon', current.id])).toString('base64url')
  expect((await api.get(`/bank-transactions?${order}&after=${forged}`)).status).toBe(400)
})

test('amounts are ordered as numbers', async () => {
  const found = (await amounts('order[amount]=asc')).map(Number)
  expect(found).toEqual(found.toSorted((one: number, other: number) => one - other))
})

test('another organization sees no account or transaction', async () => {
  const stranger = as(elsewhere.users.owner)
  for (const path of ['/bank-accounts', '/bank-transactions'])
    expect((await stranger.get(path)).body).toMatchObject({ totalItems: 0, member: [] })
  expect((await stranger.get(`/bank-accounts/${current.id}`)).status).toBe(404)
  expect((await stranger.get(`/bank-transactions?account=/bank-accounts/${current.id}`)).body.totalItems).toBe(0)
})

test('every filter has an index', async () => {
  const of = `"organizationId" = '${tenant.organization.id}' AND`
  const plans = {
    bookedOn: `${of} "bookedOn" >= '2026-02-01'`,
    amount: `${of} "amount" > 100`,
    kind: `${of} "kind" = 'CARD'`,
    status: `${of} "status" = 'PENDING'`,
    account: `${of} "accountId" = '${card.id}'`,
    text: `${of} "searchText" LIKE '%invoice%'`,
  }
  for (const [name, condition] of Object.entries(plans)) {
    const plan = await database.transaction(async (manager) => {
      await manager.query('SET LOCAL enable_seqscan = off')
      return manager.query(`EXPLAIN (FORMAT JSON) SELECT * FROM "bank_transaction" WHERE ${condition}`)
    })
    expect([name, JSON.stringify(plan)]).toEqual([name, expect.stringContaining('Index')])
  }
})
