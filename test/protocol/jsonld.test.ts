import { compact, isForeign } from '../../src/hydra/formats/jsonld-pool.ts'
import { type Problem, stopThreads } from '../../src/hydra/index.ts'

const base = 'http://localhost:8080'
const vocabulary = `${base}/docs.jsonld#`
const schema = 'https://schema.org/'
const xsd = 'http://www.w3.org/2001/XMLSchema#'

/** As served at /contexts/Meeting. */
const context = {
  '@vocab': vocabulary,
  hydra: 'http://www.w3.org/ns/hydra/core#',
  schema,
  xsd,
  title: 'hydra:title',
  employee: { '@id': 'schema:attendee', '@type': '@id' },
  dateFrom: { '@id': 'schema:startDate', '@type': 'xsd:dateTime' },
  name: 'schema:name',
  officeOpenHour: 'Meeting/officeOpenHour',
  active: 'Meeting/active',
  locations: { '@id': 'Meeting/locations', '@type': '@id', '@container': '@set' },
  languages: { '@id': 'schema:knowsLanguage', '@container': '@set' },
  metadata: { '@id': 'Meeting/metadata', '@type': '@json' },
}
const ours = (iri: unknown) => iri === '/contexts/Meeting' || iri === `${base}/contexts/Meeting`

const read = (body: unknown, timeoutMs?: number) => compact(body, context, base, { ours, timeoutMs })
const refusal = (body: unknown, timeoutMs?: number): Promise<Problem> =>
  read(body, timeoutMs).then(
    (value) => Promise.reject(new Error(`It was read: ${JSON.stringify(value)}`)),
    (problem: Problem) => problem,
  )
const small = { [`${schema}name`]: 'x' }

/** 77 kB within every limit that take jsonld seconds: a scoped context is processed again at every level. */
const heavy = () => {
  const chain = (levels: number): object => (levels > 0 ? { p: chain(levels - 1) } : {})
  const p = { '@id': `${schema}p`, '@context': terms(900) }
  return { '@context': { p }, p: Array.from({ length: 300 }, () => chain(28)) }
}
const terms = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`t${n}`, `${schema}${n}`]))

afterAll(stopThreads)

describe('A body is foreign', () => {
  test.each([
    ['with terms of its own', { '@context': { label: `${schema}name` }, label: 'x' }],
    ['with another context', { '@context': 'https://schema.org', name: 'x' }],
    ['with our context and more', { '@context': ['/contexts/Meeting', { label: `${schema}name` }], label: 'x' }],
    ['in full IRIs', { [`${schema}name`]: 'x' }],
    ['in expanded form', [{ '@type': [`${vocabulary}Meeting`], [`${schema}name`]: [{ '@value': 'x' }] }]],
    ['as a graph', { '@graph': [] }],
  ])('%s', (_, body) => expect(isForeign(body, ours)).toBe(true))
})

describe('A body is read by name', () => {
  test.each([
    ['without a context', { name: 'x', metadata: { 'http://a.example/': 1 } }],
    ['with our context', { '@context': '/contexts/Meeting', name: 'x' }],
    ['with our context in an array', { '@context': [`${base}/contexts/Meeting`], name: 'x' }],
    ['with an empty context', { '@context': [null, {}], name: 'x' }],
    ['when it is an array of plain objects', [{ name: 'x' }]],
    ['when it is not an object', 'x'],
  ])('%s', (_, body) => expect(isForeign(body, ours)).toBe(false))
})

describe('A foreign body', () => {
  test('is compacted to our terms from any others', async () => {
    const body = {
      '@context': {
        s: schema,
        our: vocabulary,
        id: '@id',
        a: '@type',
        who: { '@id': 's:attendee', '@type': '@id' },
        from: { '@id': 's:startDate', '@type': `${xsd}dateTime` },
        label: 's:name',
        opens: 'our:Meeting/officeOpenHour',
      },
      id: '/meetings/1',
      a: 'our:Meeting',
      who: '/employees/1',
      from: '2024-01-01T10:00:00+01:00',
      label: 'Morning',
      opens: 9,
      unknown: 'is dropped',
    }

    expect(await read(body)).toEqual({
      '@id': `${base}/meetings/1`,
      '@type': 'Meeting',
      employee: `${base}/employees/1`,
      dateFrom: '2024-01-01T10:00:00+01:00',
      name: 'Morning',
      officeOpenHour: 9,
    })
  })

  test('may be in expanded form', async () => {
    const body = [
      {
        '@id': '_:b0',
        '@type': [`${vocabulary}Meeting`],
        [`${schema}name`]: [{ '@value': 'Morning', '@language': 'en' }],
        [`${schema}attendee`]: [{ '@id': 'https://elsewhere.example/ada' }],
      },
    ]

    expect(await read(body)).toEqual({ '@type': 'Meeting', name: 'Morning', employee: 'https://elsewhere.example/ada' })
    expect(await read({ '@graph': body })).toEqual(await read(body))
  })

  test('may mix full IRIs with our names', async () => {
    const body = { name: 'Morning', [`${vocabulary}Meeting/officeOpenHour`]: 9 }

    expect(await read(body)).toEqual({ name: 'Morning', officeOpenHour: 9 })
  })

  test('may add its own terms to our context', async () => {
    const body = {
      '@context': ['/contexts/Meeting', { label: `${schema}name` }],
      label: 'Morning',
      employee: '/employees/1',
    }

    expect(await read(body)).toEqual({ name: 'Morning', employee: `${base}/employees/1` })
  })

  test('may write schema.org with http', async () => {
    const body = { '@context': { '@vocab': 'http://schema.org/' }, '@type': 'Event', name: 'Morning' }

    expect(await read(body)).toEqual({ '@type': 'http://schema.org/Event', name: 'Morning' })
  })

  test('keeps the IRI of an unknown property', async () => {
    expect(await read({ [`${schema}color`]: 'red' })).toEqual({ [`${schema}color`]: 'red' })
  })

  test.each([
    [{ '@type': `${xsd}integer`, '@value': '9' }, 9],
    [{ '@type': `${xsd}nonNegativeInteger`, '@value': '+9' }, 9],
    [{ '@type': `${xsd}decimal`, '@value': '-9.50' }, -9.5],
    [{ '@type': `${xsd}double`, '@value': '1.5E3' }, 1500],
    [{ '@type': `${xsd}integer`, '@value': 'nine' }, 'nine'],
    [{ '@type': `${xsd}integer`, '@value': '' }, ''],
    [{ '@type': `${xsd}boolean`, '@value': 'true' }, true],
    [{ '@type': `${xsd}boolean`, '@value': '0' }, false],
    [{ '@type': `${xsd}string`, '@value': '9' }, '9'],
    [{ '@type': `${xsd}dateTime`, '@value': '2024-01-01T00:00:00Z' }, '2024-01-01T00:00:00Z'],
    [{ '@type': 'https://elsewhere.example/mood', '@value': 'glad' }, 'glad'],
    [{ '@language': 'en', '@value': 'nine' }, 'nine'],
    [{ '@id': 'https://ada.example/' }, 'https://ada.example/'],
    [false, false],
  ])('turns %j into a JSON scalar', async (value, native) => {
    for (const term of ['name', 'dateFrom', 'employee', 'active']) {
      expect(await read({ '@context': ['/contexts/Meeting', {}], [term]: value })).toEqual({ [term]: native })
    }
  })

  test('has an array exactly where our context has one', async () => {
    const body = {
      '@context': { where: `${vocabulary}Meeting/locations`, speaks: `${schema}knowsLanguage`, label: `${schema}name` },
      where: { '@id': 'locations/1' },
      speaks: { '@list': ['en', 'de'] },
      label: ['Morning'],
    }

    expect(await read(body)).toEqual({ locations: [`${base}/locations/1`], languages: ['en', 'de'], name: 'Morning' })
    expect(await read({ ...body, where: [], label: [] })).toEqual({ locations: [], languages: ['en', 'de'] })
  })

  test('keeps nested nodes', async () => {
    const body = {
      '@context': { label: `${schema}name`, who: `${schema}attendee` },
      who: { '@id': '/employees/1', label: 'Ada' },
    }

    expect(await read(body)).toEqual({ employee: { '@id': `${base}/employees/1`, name: 'Ada' } })
  })

  test('keeps free-form JSON values unchanged', async () => {
    const metadata = { '@context': 'https://elsewhere.example', list: [1, [2], { '@id': 'x' }], nothing: null }
    const term = { '@id': `${vocabulary}Meeting/metadata`, '@type': '@json' }

    expect(await read({ '@context': { meta: term }, meta: metadata })).toEqual({ metadata })
    expect(await read({ '@context': { meta: term }, meta: [metadata] })).toEqual({ metadata: [metadata] })
  })

  test('is empty when none of its names has an IRI', async () => {
    expect(await read({ '@context': { label: `${schema}name` }, name: 'x' })).toEqual({})
  })

  test('must describe one resource', async () => {
    const node = { [`${schema}name`]: 'x' }

    for (const body of [[node, node], { '@graph': [node, node] }, { ...node, '@graph': [node] }]) {
      expect(await refusal(body)).toMatchObject({
        status: 400,
        message: 'The body describes 2 resources: send one.',
      })
    }
  })

  test('is refused with the reason why it is not JSON-LD', async () => {
    expect(await refusal({ '@context': { '@id': 'x' }, name: 'x' })).toMatchObject({
      status: 400,
      message: 'The body is not valid JSON-LD: keywords cannot be overridden.',
    })
    expect(await refusal({ '@context': 5 })).toMatchObject({
      status: 400,
      message: 'The body is not valid JSON-LD: @context must be an object.',
    })
  })
})

describe('A remote context is not fetched', () => {
  const remote = 'http://localhost:1/context.jsonld'
  const scoped = { label: { '@id': `${schema}name`, '@context': remote } }

  test.each([
    ['alone', { '@context': remote, name: 'x' }],
    ['in an array', { '@context': ['/contexts/Meeting', remote], name: 'x' }],
    ['imported', { '@context': { '@import': remote }, name: 'x' }],
    ['for one term', { '@context': scoped, label: 'x' }],
    ['of a nested node', { [`${schema}attendee`]: { '@context': remote, name: 'x' } }],
  ])('%s', async (_, body) =>
    expect(await refusal(body)).toMatchObject({
      status: 400,
      message: `Remote contexts are not fetched: write the terms of "${remote}" inline in @context.`,
    }),
  )
})

describe('An expensive body is refused', () => {
  const nested = (levels: number): object => (levels > 1 ? { [`${schema}attendee`]: nested(levels - 1) } : {})

  test.each([
    ['that is deeply nested', nested(5_000), 'The body has more than 32 levels.'],
    ['of 456 kB of contexts', { '@context': Array(12_000).fill(terms(1)) }, 'The body has more than 8 contexts.'],
    ['with too many terms', { '@context': [terms(600), terms(600)] }, 'The body has more than 1000 terms.'],
    ['with too many values', { [`${schema}name`]: Array(10_000).fill(1) }, 'The body has more than 10000 values.'],
  ])('%s', async (_, body, message) => expect(await refusal(body)).toMatchObject({ status: 400, message }))

  test('when it takes too long, and waiting bodies are still read', async () => {
    const [late, ...others] = await Promise.all([refusal(heavy(), 100), read(small), read(small)])

    expect(late).toMatchObject({
      status: 400,
      message: 'The body takes more than 100 ms to process. Simplify its @context.',
    })
    expect(others).toEqual([{ name: 'x' }, { name: 'x' }])
    expect(await read(small)).toEqual({ name: 'x' })
  })

  test('when too many bodies wait', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 33 }, () => read(small)))

    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(32)
    expect(answers.at(-1)).toMatchObject({ reason: { status: 503, headers: { 'Retry-After': '1' } } })
  })
})

test('A waiting body gets 503 when the threads stop, and a later body starts a new thread', async () => {
  const waiting = refusal(heavy())
  await stopThreads()

  expect(await waiting).toMatchObject({ status: 503 })
  expect(await read(small)).toEqual({ name: 'x' })
})
