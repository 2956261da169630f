import { hash } from 'node:crypto'
import { expectProblem, links, raw } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'
import { png } from './sample-images.ts'
import { shown, upload } from './upload-requests.ts'

const { api, as, elsewhere, organization } = await openWorld()

describe('An image', () => {
  test('is served without a token, cacheable for ever, and only as an image', async () => {
    const { logo } = (await upload('logo', await png())).body
    const { status, headers, body } = await shown(logo).set('Origin', 'https://app.example')
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(body.length),
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'cross-origin',
      'access-control-allow-origin': '*',
      etag: `"${logo.slice('/images/'.length)}"`,
      'repr-digest': `sha-256=:${hash('sha256', body, 'base64')}:`,
      link: links.documentation,
      vary: 'Origin',
    })

    const head = await as().head(logo)
    expect([head.status, head.text]).toEqual([200, undefined])
    for (const name of ['content-type', 'content-length', 'etag', 'cache-control'])
      expect(head.headers[name]).toBe(headers[name])

    for (const tag of [headers.etag, `W/${headers.etag}`, `"x", ${headers.etag}`, '*']) {
      const again = await as().get(logo).set('If-None-Match', tag)
      expect([tag, again.status, again.text]).toEqual([tag, 304, ''])
      expect(again.headers).toMatchObject({ etag: headers.etag, 'cache-control': headers['cache-control'] })
    }
    expect((await as().get(logo).set('If-None-Match', '"x"')).status).toBe(200)

    const signedIn = await as(elsewhere.users.member).get(logo).set('Accept', 'application/ld+json')
    expect([signedIn.status, signedIn.headers['content-type']]).toEqual([200, 'image/png'])
  })

  test('accepts only GET, HEAD and OPTIONS', async () => {
    const { logo } = (await upload('logo', await png())).body
    for (const method of ['post', 'patch', 'delete'] as const) {
      const answer = await api[method](logo)
      expectProblem(answer as never, 405)
      expect(answer.headers.allow).toBe('OPTIONS, HEAD, GET')
    }
    const options = await as().options(logo).set('Origin', 'https://app.example')
    expect([options.status, options.headers.allow]).toEqual([204, 'OPTIONS, HEAD, GET'])
    expect((await shown(logo)).status).toBe(200)
  })

  test('is a problem that caches may not store when its address is unknown', async () => {
    const { logo } = (await upload('logo', await png())).body
    for (const path of [
      `/images/${'0'.repeat(64)}`,
      '/images/1',
      '/images/%00',
      "/images/' OR true --",
      logo.toUpperCase().replace('/IMAGES', '/images'),
      `${logo}/`,
      `${logo}.png`,
      logo.slice(0, -1),
      '/images',
      '/images/',
    ]) {
      const answer = await raw('GET', encodeURI(path).replaceAll('%25', '%'))
      expectProblem(answer, 404)
      expect(answer.headers['cache-control']).toBe('no-store')
    }
  })

  test('has one address for the same bytes, in every organization and for every purpose', async () => {
    const bytes = await png()
    const first = await upload('logo', bytes)
    const again = await upload('logo', bytes, 'other name.png')
    expect([first.status, again.status, again.body]).toEqual([201, 200, first.body])
    expect(again.headers.location).toBeUndefined()
    const icon = await upload('icon', bytes)
    const other = await upload('logo', bytes, 'x.png', as(elsewhere.users.owner))
    expect([icon.status, other.status]).toEqual([201, 201])
    expect([icon.body.icon, other.body.logo]).toEqual([first.body.logo, first.body.logo])
    expect(other.body['@id']).toBe(`/organizations/${elsewhere.organization.id}`)
    expect(other.text).not.toContain(organization.id)
  })
})
