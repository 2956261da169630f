const { api, as, database, foundTenant, operator, organization, tenant } = await openWorld()

// A text that a pattern matches in several ways could hang every place that reads HTML or styles (ReDoS).
// These places are colours, margins, fonts, links, images, and the plain text that mails make of a footer.
import { MailFooter } from '../../../entities/index.ts'
import { processShare } from '../../../src/hydra/model/fair-share.ts'
import { sanitizeInThread } from '../../../src/mail/sanitizer-pool.ts'
import { footers, vectors } from '../../support/requests/footer-vectors.ts'
import { eventsAbout } from '../../support/rows/audit-events.ts'
import { openWorld } from '../../support/world.ts'

const { member, admin } = tenant.users
const path = '/organizations/mail-footer'
const write = (mailFooter: unknown) => api.patch(path, { mailFooter })

/** Text, and tags of the whitelist with quoted attributes: nothing else can be read in it, by whatever parser. */
const tags =
  'a|abbr|address|b|blockquote|br|caption|center|code|col|colgroup|div|em|font|h[1-6]|hr|i|img|li|ol|p|pre|s|small|span|' +
  'strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|u|ul'
const attributes =
  'align|alt|bgcolor|border|cellpadding|cellspacing|color|colspan|dir|face|height|href|lang|rel|role|rowspan|scope|size|' +
  'src|style|target|title|valign|width'
const grammar = new RegExp(`^(?:[^<>]|<(?:${tags})(?: (?:${attributes})(?:="[^"<>]*")?)*(?: /)?>|</(?:${tags})>)*$`)

test('a footer has an address of its own, and is for members to read and admins to write', async () => {
  expect((await as(admin).patch(path, { mailFooter: '<p>Groet</p>' })).status).toBe(200)
  const { body } = await as(member).get(path)
  expect(body).toMatchObject({
    '@context': '/contexts/MailFooter',
    '@id': path,
    '@type': 'MailFooter',
    mailFooter: '<p>Groet</p>',
  })
  expect((await as(member).patch(path, { mailFooter: 'x' })).status).toBe(403)
  expect((await as().get(path)).status).toBe(401)
  expect((await as(operator).get(path)).status).toBe(403)
  expect((await api.get(`/organizations/${organization.id}`)).body.mailFooter).toBe(path)
})

test('a footer is another one for every organization', async () => {
  const other = await foundTenant('Footless', 'footless')
  await write('<p>Acme</p>')
  expect((await as(other.users.owner).get(path)).body.mailFooter).toBeNull()
  await as(other.users.owner).patch(path, { mailFooter: '<p>Footless</p>' })
  expect((await api.get(path)).body.mailFooter).toBe('<p>Acme</p>')
})

test(`there are ${vectors.length} known ways in, each another`, () => {
  expect(vectors.length).toBeGreaterThanOrEqual(100)
  expect(new Set(vectors.map(([html]) => html)).size).toBe(vectors.length)
})

test.each(vectors)('of %j nothing is kept that runs, loads or covers what is beside it', async (html, clean) => {
  const { status, body } = await write(html)
  expect([status, body.mailFooter]).toEqual([200, clean])
  expect(body.mailFooter).toMatch(grammar)
  for (const [, scheme] of body.mailFooter.matchAll(/ (?:href|src)="([^":]*):/g))
    expect(['http', 'https', 'mailto', 'tel']).toContain(scheme)
  for (const [, style] of body.mailFooter.matchAll(/ style="([^"]*)"/g))
    expect(style).not.toMatch(/url|expression|import|binding|behavior|position|image|\\|\/\//i)
  expect((await api.get(path)).body.mailFooter).toBe(clean)
  expect((await write(clean)).body.mailFooter).toBe(clean)
})

test.each(footers)('%s is kept to the letter', async (html) => {
  expect((await write(html)).body.mailFooter).toBe(html)
})

test('whatever is put together of such pieces is clean, and clean of itself', async () => {
  const pieces = vectors.flatMap(([html]) => html.split(/(?=<)|(?<=>)/))
  for (let count = 0; count < 60; count++) {
    const html = Array.from({ length: 40 }, (_, n) => pieces[(count * 7919 + n * 104_729) % pieces.length]).join('')
    const { status, body } = await write(html)
    expect([html, status]).toEqual([html, 200])
    expect(body.mailFooter).toMatch(grammar)
    expect((await write(body.mailFooter)).body.mailFooter).toBe(body.mailFooter)
  }
})

test('the answer is what is stored, null clears it, and what it was before is written down', async () => {
  await write(null)
  const { body } = await write('<p onclick="x">één</p>')
  const stored = await database.manager.findOneByOrFail(MailFooter, { organizationId: organization.id })
  expect(stored.mailFooter).toBe(body.mailFooter)
  const event = (await eventsAbout(path)).at(-1)
  expect(event).toMatchObject({ action: 'mailFooter.update', changes: { mailFooter: [null, '<p>één</p>'] } })
  expect((await write(null)).body.mailFooter).toBeNull()
  expect((await api.get(path)).body.mailFooter).toBeNull()
})

test('a footer holds 20 kB and no more, as it comes and as it is kept', async () => {
  expect((await write(`<p>${'x'.repeat(19_993)}</p>`)).status).toBe(200)
  const tooMuch = [
    `<p>${'x'.repeat(19_994)}</p>`,
    `<p>${'é'.repeat(9_997)}</p>`,
    `<script>${'x'.repeat(20_000)}</script>`,
    '&'.repeat(5_000),
    '<p>x'.repeat(4_000),
  ]
  for (const html of tooMuch) {
    const { status, body } = await write(html)
    expect([status, body.violations?.[0].propertyPath]).toEqual([422, 'mailFooter'])
    expect(body.violations[0].message).toContain('20,000 bytes')
  }
  expect((await write('x'.repeat(300_000))).status).toBe(413)
})

test('endless nesting is cut off quickly', async () => {
  const start = performance.now()
  const { body } = await write('<b>'.repeat(6_000))
  expect(body.mailFooter.match(/<b>/g).length).toBeLessThan(100)
  await write(`<p style="${'margin:1px,'.repeat(1_500)}(">`)
  await write(`<p style="font-family:${'a '.repeat(9_000)}(">`)
  expect(performance.now() - start).toBeLessThan(2000)
})

const styles = ['color', 'margin', 'font-family', 'border', 'width']
const ambiguous = [
  `${'a   '.repeat(49)}~`,
  `${'a  , '.repeat(39)}~`,
  `${'1 '.repeat(99)}~`,
  `${'9'.repeat(199)}~`,
  `${'a-'.repeat(99)}~`,
  `rgb(${' '.repeat(190)}~`,
  `"${' '.repeat(190)}~`,
  `${'"" '.repeat(66)}~`,
  `${'!important '.repeat(17)}~`,
  `${' '.repeat(199)}~`,
]

/** OWASP, Regular expression Denial of Service: a mismatch must take linear time. */
test.each(ambiguous)('the style %j is dropped at once', async (value) => {
  const start = performance.now()
  const html = styles.map((style) => `<p style="${style}:${value}">x</p>`).join('')
  expect((await write(html)).body.mailFooter.replaceAll(/ style="[^"]*"/g, '')).toBe('<p>x</p>'.repeat(styles.length))
  expect(performance.now() - start).toBeLessThan(1500)
})

test('a footer that takes too long to clean is refused, and the next one is cleaned', async () => {
  const refusal = await sanitizeInThread('mailFooter', '<b>'.repeat(6_000), processShare, 1).catch((error) => error)
  expect(refusal).toMatchObject({
    status: 422,
    message: 'mailFooter: mailFooter takes more than 1 ms to clean: send simpler HTML, with fewer tags and styles.',
  })
  expect((await write('<p onclick="x">fine</p>')).body.mailFooter).toBe('<p>fine</p>')
})

test.each([5, true, {}, ['<p>'], 'a\0b', '\ud800'])('%j is no HTML', async (mailFooter) => {
  const { status, body } = await write(mailFooter)
  expect([status, body.violations[0].propertyPath]).toEqual([422, 'mailFooter'])
})

test('a PATCH that says nothing of it leaves it', async () => {
  await write('<p>stays</p>')
  expect((await api.patch(path, {})).body.mailFooter).toBe('<p>stays</p>')
  expect((await api.patch(path, {}).set('If-Match', '"0-x"')).status).toBe(412)
})
