import { gzipSync } from 'node:zlib'
import { Kontomatik } from '../../../src/banking/kontomatik/kontomatik-client.ts'
import { problemOf, serving } from './kontomatik-server.ts'

/** A client whose Kontomatik sends this response to every request. */
async function hearing<T>(
  body: string | Buffer,
  work: (kontomatik: Kontomatik) => Promise<T>,
  status = 200,
): Promise<T> {
  const headers = Buffer.isBuffer(body) ? { 'content-encoding': 'gzip' } : {}
  const server = await serving((_, response) => response.writeHead(status, headers).end(body))
  try {
    return await work(new Kontomatik({ url: server.url, apiKey: 'key', timeoutMs: 10_000 }))
  } finally {
    server.stop()
  }
}

const reuse = (kontomatik: Kontomatik) => kontomatik.reuseAccess('ma-1')
const poll = (kontomatik: Kontomatik) => kontomatik.command('7')
const status = (kontomatik: Kontomatik) => kontomatik.redirectionStatus('r-1')
const successful = (result: string) =>
  `<reply status="200 OK"><command id="7" state="successful" target="T" institution="I"><result>${result}</result></command></reply>`

test.each([
  ['nothing', ''],
  ['text', 'hello'],
  ['HTML', '<!doctype html><html><body>reply</body></html>'],
  ['HTML with a reply in it', '<html><body><reply><session id="1" signature="2"/></reply></body></html>'],
  ['JSON', '{"session":{"id":1}}'],
  ['another root', '<answer><session id="1" signature="2"/></answer>'],
  ['two roots', '<reply/><reply><session id="1" signature="2"/></reply>'],
  ['a reply cut short', '<reply><session id="1" signature="2"/><comment>the rest is mis'],
  ['a reply without a session', '<reply status="200 OK"/>'],
  ['a session without a signature', '<reply><session id="1" signature=""/></reply>'],
  ['names that would harm us', '<reply><__proto__><session id="1" signature="2"/></__proto__></reply>'],
  ['elements without end', `<reply>${'<a>'.repeat(100_000)}${'</a>'.repeat(100_000)}</reply>`],
  ['an entity', '<!DOCTYPE reply [<!ENTITY a "1">]><reply><session id="&a;" signature="2"/></reply>'],
  [
    'a file',
    '<!DOCTYPE reply [<!ENTITY a SYSTEM "file:///etc/passwd">]><reply><session id="&a;" signature="2"/></reply>',
  ],
])('%s is no reply', async (_, body) => {
  expect(await problemOf(hearing(body, reuse))).toMatchObject({ name: 'Unreadable', kind: 'outage', uncertain: true })
})

test('nested entities are not expanded', async () => {
  const names = 'abcdefghij'.split('')
  const bomb = names.map((name, index) => `<!ENTITY ${name} "${`&${names[index - 1]};`.repeat(index ? 10 : 0)}x">`)
  const body = `<!DOCTYPE reply [${bomb.join('')}]><reply><session id="&j;" signature="2"/></reply>`
  const began = Date.now()
  expect(await problemOf(hearing(body, reuse))).toMatchObject({ name: 'Unreadable' })
  expect(Date.now() - began).toBeLessThan(500)
})

test('a huge body is refused, compressed or not', async () => {
  const huge = `<reply><session id="1" signature="2"/>${' '.repeat(21_000_000)}</reply>`
  const problem = { name: 'TooLarge', kind: 'unknown', retry: 'never', uncertain: true }
  expect(await problemOf(hearing(huge, reuse))).toMatchObject(problem)
  expect(await problemOf(hearing(gzipSync(huge), reuse))).toMatchObject(problem)
})

test('an endless body is refused at the limit', async () => {
  let bytes = 0
  const endless = await serving((_, response) => {
    const chunk = Buffer.alloc(100_000, 32)
    const pour = () => {
      while (!response.destroyed && response.write(chunk)) bytes += chunk.length
    }
    response.on('drain', pour)
    pour()
  })
  const kontomatik = new Kontomatik({ url: endless.url, apiKey: 'key', timeoutMs: 10_000 })
  expect(await problemOf(kontomatik.reuseAccess('ma-1'))).toMatchObject({ name: 'TooLarge' })
  expect(bytes).toBeLessThan(40_000_000)
  endless.stop()
})

test('an exception counts despite the status 200, and so does a failed command whose exception has no name', async () => {
  const exception = '<reply status="200 OK"><exception name="InvalidMultipleAccessId"/></reply>'
  expect(await problemOf(hearing(exception, reuse))).toMatchObject({ kind: 'access-gone' })
  expect(await problemOf(hearing('<reply><exception/></reply>', reuse))).toMatchObject({
    name: 'Unnamed',
    kind: 'unknown',
  })
  const failed = '<reply><command id="7" state="error"/></reply>'
  expect(await hearing(failed, poll)).toMatchObject({ state: 'failed', problem: { name: 'Unnamed' } })
})

test('the name of an exception is only kept if it is an identifier', async () => {
  const odd = '<reply><exception name="key=secret beef"><message>key=secret</message></exception></reply>'
  const problem = await problemOf(hearing(odd, reuse, 400))
  expect(JSON.stringify([problem, problem.message, problem.stack])).not.toContain('secret')
})

test('an unknown state of a command means running', async () => {
  const waiting = '<reply><command id="7" state="queued"><progress><value>much</value></progress></command></reply>'
  expect(await hearing(waiting, poll)).toMatchObject({ id: '7', state: 'running', progress: 0 })
})

test('every element may be missing', async () => {
  const nothing = { accounts: [], cards: [] }
  for (const result of ['', '<owners/>', '<accounts/><creditCards/>', '<accounts>none</accounts>'])
    expect(await hearing(successful(result), poll)).toMatchObject({
      target: 'T',
      officialName: 'I',
      statement: nothing,
    })
  const bare = '<accounts><account/></accounts><creditCards><creditCard><moneyTransactions/></creditCard></creditCards>'
  const ledger = { name: null, currency: null, balance: null, partial: false, transactions: [], dropped: 0 }
  expect(await hearing(successful(bare), poll)).toMatchObject({
    statement: {
      accounts: [{ iban: null, availableBalance: null, ...ledger }],
      cards: [{ cardId: null, number: null, limit: null, dueDate: null, ...ledger }],
    },
  })
})

test('a statement is read, and unreadable lines are left out and counted', async () => {
  const line = (content: string) => `<moneyTransaction>${content}</moneyTransaction>`
  const day = '<transactionOn>2026-02-27</transactionOn>'
  const { state, ...command } = await hearing(
    successful(`<owners><owner><name>Anna</name><polishPesel>44051401359</polishPesel></owner></owners>
      <accounts><account partialDueToTimeout="true"><name>Current</name><iban>61 1090 1014 0000 0712 1981 2874</iban>
      <currencyBalance>1e5</currencyBalance><currencyFundsAvailable>-0.001</currencyFundsAvailable><currencyName>pln</currencyName>
      <moneyTransactions>
        ${line(`${day}<bookedOn>2026-02-28T00:00:00Z</bookedOn><currencyAmount>-12.5</currencyAmount><title>1e5</title>
          <party><![CDATA[A & ]]>B\n\t Sp. z&#xa0;o.o.</party><partyIban>pl11</partyIban><status>done</status><labels><label>rent</label></labels>`)}
        ${line(`${day}<currencyAmount>0012345.6789</currencyAmount><currencyName>EUR</currencyName><title lang="pl">K&#xf3;d &#0;x</title>`)}
        ${line(`<bookedOn>2026-02-28</bookedOn><currencyAmount>+3</currencyAmount><title> </title>`)}
        ${line(`${day}<currencyAmount>1,50</currencyAmount>`)}
        ${line(`${day}<currencyAmount>NaN</currencyAmount>`)}
        ${line(`${day}<currencyAmount>1234567890123456.00</currencyAmount>`)}
        ${line(day)}
        ${line('<currencyAmount>1.00</currencyAmount>')}
        ${line('<transactionOn>2026-02-30</transactionOn><currencyAmount>1.00</currencyAmount>')}
        ${line(`${day}<bookedOn>soon</bookedOn><currencyAmount>1.00</currencyAmount>`)}
      </moneyTransactions></account></accounts>
      <creditCards><creditCard><number>5100123412341234</number><limit>10</limit><dueDate>2026-03-01</dueDate></creditCard></creditCards>`),
    poll,
  )
  expect(state).toBe('successful')
  const none = { party: null, partyIban: null, title: null, kind: null, status: null }
  expect(command).toMatchObject({
    statement: {
      accounts: [
        {
          name: 'Current',
          iban: 'PL61109010140000071219812874',
          balance: null,
          availableBalance: '0.00',
          currency: 'PLN',
          partial: true,
          dropped: 6,
          transactions: [
            {
              transactionOn: '2026-02-27',
              bookedOn: '2026-02-28',
              amount: '-12.50',
              currency: 'PLN',
              party: 'A & B Sp. z o.o.',
              partyIban: 'PL11',
              title: '1e5',
              kind: null,
              status: 'DONE',
            },
            {
              ...none,
              transactionOn: '2026-02-27',
              bookedOn: null,
              amount: '12345.68',
              currency: 'EUR',
              title: 'Kód x',
              status: 'PENDING',
            },
            { ...none, transactionOn: '2026-02-28', bookedOn: '2026-02-28', amount: '3.00', currency: 'PLN' },
            { ...none, transactionOn: '2026-02-27', amount: '1.50', currency: 'PLN', status: 'PENDING' },
          ],
        },
      ],
      cards: [{ number: '1234', limit: '10.00', dueDate: '2026-03-01' }],
    },
  })
  expect(JSON.stringify(command)).not.toMatch(/Anna|44051401359|5100/)
})

test('a statement with thousands of entities is accepted', async () => {
  const lines =
    '<moneyTransaction><transactionOn>2026-02-27</transactionOn><currencyAmount>-1.00</currencyAmount><title>K&#xf3;d &amp; &#x142;</title></moneyTransaction>'
  const body = successful(
    `<accounts><account><moneyTransactions>${lines.repeat(5000)}</moneyTransactions></account></accounts>`,
  )
  const command = await hearing(body, poll)
  if (command.state !== 'successful') throw new Error(command.state)
  expect(command.statement.accounts[0].transactions).toHaveLength(5000)
  expect(command.statement.accounts[0].transactions[4999].title).toBe('Kód & ł')
})

test.each([
  ['{"status":"SUCCESSFUL","params":{"sessionId":900100,"sessionIdSignature":"c0ffee"}}', 'done'],
  ['{"status":"success","params":{"sessionId":"9","sessionIdSignature":"c0ffee","multipleAccessId":null}}', 'done'],
  ['{"status":"EXPIRED"}', 'failed'],
  ['{"status":"WHATEVER","params":{"exception":"AccessDenied"}}', 'failed'],
  ['{"status":"SUCCESS","params":{"exception":{"name":"AccessDenied"}}}', 'failed'],
  ['{"status":"IN_PROGRESS","params":null}', 'pending'],
  ['{}', 'pending'],
])('the sign-in status %s means %s', async (body, state) => {
  expect(await hearing(body, status)).toMatchObject({ state })
})

test.each(['[]', 'null', '"{}"', '', '<html></html>', '{"status":"SUCCESS","params":{}}'])(
  'the sign-in status %j is unreadable',
  async (body) => {
    expect(await problemOf(hearing(body, status))).toMatchObject({ name: 'Unreadable' })
  },
)

test('a redirection without a valid address is refused', async () => {
  const start = (kontomatik: Kontomatik) =>
    kontomatik.startRedirection({ redirectUri: 'https://a.example/', ownerExternalId: '1', accessMode: 'SINGLE' })
  const link = '{"redirectionId":"r-1","redirectionLink":"javascript:alert(1)"}'
  expect(await problemOf(hearing(link, start))).toMatchObject({ name: 'Unreadable' })
  expect(await problemOf(hearing('{"exception":"InvalidParameter"}', start, 400))).toMatchObject({
    kind: 'invalid-request',
  })
  expect(await problemOf(hearing('{}', start, 500))).toMatchObject({ name: 'Http500' })
})

test.each(['', '{}', '<reply status="200 OK"/>', 'deleted'])('any success ends a consent: %j', async (body) => {
  await hearing(body, (kontomatik) => kontomatik.deleteAccess('ma-1'))
})

test('the page of a proxy ends no consent', async () => {
  const end = (kontomatik: Kontomatik) => kontomatik.deleteAccess('ma-1')
  expect(await problemOf(hearing('<!DOCTYPE html><html></html>', end))).toMatchObject({ uncertain: true })
  expect(await problemOf(hearing('', end, 503))).toMatchObject({ name: 'Http503' })
})
