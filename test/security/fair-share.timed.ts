const { api, as, elsewhere, publicUrl, tenant } = await openWorld()

// Callers share threads that a single request can occupy.
// The same fault can occur in the thread for JSON-LD, Turtle and the other formats of our documents.
// It can occur in the thread that sanitizes mail footers.
import { setTimeout as sleep } from 'node:timers/promises'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'

/** A busy machine delays one run; a fault delays every run. */
import.meta.jest.retryTimes(2, { logErrorsBeforeRetry: true })

const schema = 'https://schema.org/'
const { owner, admin } = tenant.users

/** 77 kB, within every bound, that keep the thread busy for the whole second that it may take. */
const slow = () => {
  const chain = (levels: number): object => (levels > 0 ? { p: chain(levels - 1) } : {})
  const terms = Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`t${n}`, `${schema}${n}`]))
  const p = { '@id': `${schema}p`, '@context': terms }
  return { '@context': { p }, p: Array.from({ length: 300 }, () => chain(28)) }
}

const small = { '@context': { '@vocab': schema, our: `${publicUrl}/docs.jsonld#Location/` }, name: 'Quick' }

const stranger = as(elsewhere.users.owner)
const turtle = (text: string) => stranger.post('/locations').set('Content-Type', 'text/turtle').send(text)

test('requests of another tenant wait for one slow body, not for all of them', async () => {
  let done = 0
  const sent = [owner, owner, admin, admin].map(async (user) => {
    expect((await as(user).post('/locations', slow())).status).toBe(400)
    done++
  })
  while (done === 0) await sleep(10)
  const before = done
  const answers = await Promise.all([
    stranger.post('/locations', small),
    turtle('[] <https://schema.org/name> "Quick, too" .'),
    stranger.get('/locations.ttl'),
    as().get('/countries.nq'),
  ])
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 200, 200])
  expect(done - before).toBeLessThan(2)
  await Promise.all(sent)
})

test('one caller has at most 32 bodies in the queue; the others are refused with 503, and other tenants are not', async () => {
  const first = api.post('/locations', slow()).then(({ status }) => status)
  await sleep(200)
  const many = Array.from({ length: 40 }, (_, n) => api.post('/locations', { ...small, name: `Many ${n}` }))
  const answers = Promise.all(many)
  await sleep(200)
  expect((await stranger.post('/locations', { ...small, name: 'Not too many' })).status).toBe(201)
  const refused = (await answers).filter(({ status }) => status !== 201)
  expect(refused).toHaveLength(9)
  for (const { status, headers, text } of refused) {
    const { detail } = expectProblem({ status, headers, text }, 503)
    expect(detail).toMatch(/^You have too many requests of this kind at once\. Try again in \d+ s\.$/)
    expect(headers['retry-after']).toBe(/\d+/.exec(`${detail}`)?.[0])
  }
  expect(await first).toBe(400)
})
