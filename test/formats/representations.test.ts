import { expectProblem, raw } from '../support/requests/raw-responses.ts'
import { ask, browser, collections, meeting, owner, typeOf, types } from './representations.ts'

describe('Each representation', () => {
  const accepts = Object.values(types)

  test('has its own ETag, and If-None-Match with it returns 304', async () => {
    for (const [path, count] of [
      [meeting, 7],
      ['/meetings', 8],
      ['/', 7],
    ] as const) {
      const etags = new Set<unknown>()
      for (const accept of accepts.filter((type) => count === 8 || type !== types.csv)) {
        const { headers } = await ask(path, accept)
        expect(headers.etag).toMatch(/^"[\w-]+"$/)
        expect((headers.vary as string).split(', ')).toContain('Accept')
        etags.add(headers.etag)
        const again = await ask(path, accept, { 'If-None-Match': headers.etag as string })
        expect([again.status, again.text, again.headers.etag]).toEqual([304, '', headers.etag])
      }
      expect(etags.size).toBe(count)
    }
  })

  test('in JSON has the same bytes for the members of a whole page as for those with all properties selected', async () => {
    const membersIn = ({ text }: { text: string }) =>
      text.slice(text.indexOf('"member":[')).split(/,"(?:view|search)":\{/)[0]
    for (const path of collections)
      for (const type of [types.jsonld, types.json]) {
        const whole = await ask(path, type)
        const names = new Set<string>(JSON.parse(whole.text).member.flatMap(Object.keys))
        expect(names).toContain('@id')
        const selected = await ask(`${path}?${[...names].map((name) => `properties[]=${name}`).join('&')}`, type)
        expect(membersIn(whole)).toBe(membersIn(selected))
      }
  })

  test('has an ETag that If-Match of a PATCH accepts', async () => {
    const patch = { Authorization: owner, 'Content-Type': 'application/merge-patch+json' }
    for (const accept of accepts.filter((type) => type !== types.csv)) {
      const { headers } = await ask(meeting, accept)
      const change = () =>
        raw(
          'PATCH',
          meeting,
          { ...patch, Accept: accept, 'If-Match': headers.etag as string },
          `{"notes":"${Math.random()}"}`,
        )
      const changed = await change()
      expect(typeOf(changed)).toEqual([200, accept])
      expect(changed.headers.etag).toBe((await ask(meeting, accept)).headers.etag)
      const refused = await change()
      if (accept === types.html) expect(typeOf(refused)).toEqual([412, types.html])
      else expectProblem(refused, 412)
    }
  })

  test('gets errors in JSON, and as a page where it prefers HTML', async () => {
    for (const accept of [undefined, 'text/turtle', 'text/csv', '*/*', 'text/*;q=0.5, application/problem+json'])
      expectProblem(await ask('/meetings?page=0', accept), 400)
    expectProblem(await raw('GET', '/meetings.html'), 401)
    for (const accept of ['text/html', browser, 'text/html, application/ld+json;q=0.9'])
      expect(typeOf(await ask('/meetings?page=0', accept))).toEqual([400, types.html])
  })
})
