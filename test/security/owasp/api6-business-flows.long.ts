import { payingCustomer } from '../../support/billing/billing.ts'
import { dashboard, serverRequests, subscribed } from '../../support/billing/stripe.ts'
import { givenInvitation } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { type Case, testCaseGroups, unless } from './case-groups.ts'
import { ask, routes, serve, tokens, unknown } from './route-requests.ts'

const { as, billing, config, foundTenant, givenAddress, stripe } = await openWorld()

const limited = await serve({ config: { ...config, limits: { usual: 1000, few: 3 } } })
const guessable = routes.filter(({ operation }) => operation.sensitive)
/** With these codes and tokens are guessed, and strangers pestered. */
const rare = [
  'POST /subscriptions/apply-coupon',
  'POST /organization-user-invitations',
  'POST /organization-user-invitations/:id/resend',
  'POST /organization-user-invitations/accept',
]

/** Parts of a request that a guesser may vary to be counted as another client. */
const disguises: Record<string, string>[] = [
  ...['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'User-Agent', 'X-Request-Id', 'Idempotency-Key', 'Origin'].map(
    (name) => ({ [name]: `guess-${Math.random()}` }),
  ),
  { Accept: 'text/turtle' },
  { Prefer: 'return=minimal' },
]

function* guesses(): Generator<Case> {
  for (const title of rare)
    yield async () =>
      unless(
        guessable.some((route) => route.title === title),
        `${title} may be asked too often`,
      )
  for (const route of guessable) {
    for (let count = 0; count < 3; count++)
      yield async () => {
        const { status } = await ask(route, {
          at: limited,
          token: tokens.owner,
          id: unknown.replace(/.$/, `${count}`),
          body: { code: `G${count}`, token: `x${count}`, email: `guest-${count}@example.com` },
        })
        return unless(status < 500 && status !== 429, `${route.title}: ${status}`)
      }
    for (const headers of disguises)
      for (const suffix of ['', '.jsonld', '?x=1'])
        yield async () => {
          const spelled = { ...route, path: route.path + suffix }
          const body = { code: 'G', token: 'x', email: 'guest@example.com' }
          const { status } = await ask(spelled, { at: limited, token: tokens.owner, headers, body })
          return unless(status === 429, `${spelled.path} with ${JSON.stringify(headers)}: ${status}`)
        }
  }
}

function* coupons(): Generator<Case> {
  for (const code of ['LOYAL10', 'FRIENDS', 'WELCOME25'])
    yield async () => {
      const subscriber = await subscribed()
      const apply = () => subscriber.api.post('/subscriptions/apply-coupon', { code })
      await Promise.all(Array.from({ length: 5 }, apply))
      const since = stripe.requests.length
      const { status } = await apply()
      const again = serverRequests(since).filter(({ method }) => method === 'POST')
      const { discounts } = await billing.retrieveSubscription(subscriber.externalId)
      return unless(
        status === 200 && again.length === 0 && discounts.length === 1,
        `${code}: ${discounts.length} ${status}`,
      )
    }
  yield async () => {
    const { id } = await dashboard.coupons.create({ percent_off: 50, duration: 'once', max_redemptions: 1 })
    const subscribers = await Promise.all([1, 2, 3].map(() => subscribed()))
    const answers = await Promise.all(
      subscribers.map(({ api }) => api.post('/subscriptions/apply-coupon', { code: id })),
    )
    const good = answers.filter(({ status }) => status < 300).length
    return unless(good === 1, `a coupon for one was had by ${good}`)
  }
}

function* seconds(): Generator<Case> {
  for (const card of [true, false])
    yield async () => {
      const subscriber = await payingCustomer()
      const body = card ? { paymentMethod: subscriber.card } : {}
      const answers = await Promise.all(Array.from({ length: 6 }, () => subscriber.api.post('/subscriptions', body)))
      const created = answers.filter(({ status }) => status === 201).length
      const odd = answers.filter(({ status }) => ![201, 409, 503].includes(status)).length
      return unless(created === 1 && odd === 0, `six at once: ${answers.map(({ status }) => status)}`)
    }
  const trials = [
    'trial',
    'trialDays',
    'trial_end',
    'trial_period_days',
    'trialEnd',
    'price',
    'discounts',
    'coupon',
    'status',
  ]
  for (const name of trials)
    for (const value of [30, true, '2031-01-01T00:00:00Z', 'trialing', [{ coupon: 'LOYAL10' }]])
      yield async () => {
        const { organization, users } = await foundTenant('Trying', `trying-${++tried}`)
        await givenAddress({ organizationId: organization.id })
        const api = as(users.owner)
        const { status, body } = await api.post('/subscriptions', { [name]: value })
        const second = await api.post('/subscriptions', { [name]: value })
        const changed = await api.patch(body['@id'], { [name]: value })
        const states = [status, body.status, body.coupon, second.status, changed.body.status].join()
        return unless(states === '201,incomplete,,409,incomplete', `${name}: ${value}: ${states}`)
      }
}
let tried = 0

/** An organization of three with so many seats. */
async function full(seats: number) {
  const { organization, users } = await foundTenant('Full', `full-${++tried}`)
  await givenAddress({ organizationId: organization.id })
  const api = as(users.owner)
  await api.post('/subscriptions', { seats })
  return { api, organizationId: organization.id, owner: users.owner }
}

function* seats(): Generator<Case> {
  for (const count of [0, 1, 2, -1, 1.5, 100_001, '9', null])
    yield async () => {
      const { organization, users } = await foundTenant('Sitting', `sitting-${++tried}`)
      await givenAddress({ organizationId: organization.id })
      const api = as(users.owner)
      const few = await api.post('/subscriptions', { seats: count })
      const { body } = await api.post('/subscriptions', { seats: 3 })
      const fewer = await api.patch(body['@id'], { seats: count })
      return unless(few.status === 422 && fewer.status === 422, `${count} seats: ${few.status}, ${fewer.status}`)
    }
  for (const role of ['member', 'admin', 'owner'] as const) {
    yield async () => {
      const { api } = await full(3)
      const { status } = await api.post('/organization-user-invitations', { email: `${role}@example.com`, role })
      return unless(status === 409, `a ${role} beyond the seats: ${status}`)
    }
    yield async () => {
      const { api, organizationId, owner } = await full(3)
      const expired = { organizationId, invitedBy: owner, role, expiresAt: new Date(0) }
      const { id } = await givenInvitation(expired)
      const { status } = await api.post(`/organization-user-invitations/${id}/resend`)
      return unless(status === 409, `a ${role} whose invitation had expired beyond the seats: ${status}`)
    }
    yield async () => {
      const { api } = await full(4)
      const invite = (_: unknown, n: number) =>
        api.post('/organization-user-invitations', { email: `${n}-${role}@example.com`, role })
      const answers = await Promise.all(Array.from({ length: 6 }, invite))
      const statuses = answers.map(({ status }) => status).sort()
      return unless(statuses.join() === '201,409,409,409,409,409', `six at once for the last seat: ${statuses}`)
    }
  }
}

testCaseGroups(
  'API6',
  {
    'Codes can be tried a few times a minute, however it is done': guesses(),
    'A coupon works once': coupons(),
    'There is one subscription, and no trial to begin again': seconds(),
    'Nobody sits without a seat': seats(),
  },
  { atOnce: 1 },
)
