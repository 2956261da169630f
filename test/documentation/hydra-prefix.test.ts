import type { Express } from 'express'
import jsonld, { type JsonLdDocument } from 'jsonld'
import request from 'supertest'
import { Meeting } from '../../entities/index.ts'
import { createApp } from '../../src/app.ts'
import { morning, openWorld } from '../support/world.ts'

const { app, config, given, publicUrl, services, tenant, tokenOf } = await openWorld()

const next = 'http://www.w3.org/ns/hydra/core#next'
const prefixed = await createApp({ ...services, config: { ...config, hydraPrefix: true } })
const secondPage = '/meetings?itemsPerPage=1&page=2'

beforeAll(async () => {
  for (let count = 0; count < 3; count++) await given(Meeting, morning)
})

test('with the option, Hydra’s terms have the prefix of API Platform 3', async () => {
  const page = await ask(prefixed, secondPage)
  expect(page).toMatchObject({
    '@type': 'hydra:Collection',
    'hydra:totalItems': 3,
    'hydra:member': [{ '@type': 'Meeting', notes: null }],
    'hydra:view': { '@type': 'hydra:PartialCollectionView', 'hydra:next': expect.any(String) },
  })
  expect(Object.keys(page).filter((key) => /^(member|view|totalItems)$/.test(key))).toEqual([])
  expect(await ask(prefixed, '/docs.jsonld')).toMatchObject({
    '@type': 'hydra:ApiDocumentation',
    'hydra:supportedClass': expect.any(Array),
  })
  expect(await ask(prefixed, '/nowhere')).toMatchObject({ '@type': 'hydra:Error', 'hydra:title': 'Not Found' })
})

test.each(['/', '/docs.jsonld', '/organizations', '/meetings', secondPage])(
  '%s expands to the same JSON-LD as without the prefix',
  async (path) => {
    const expanded = await expand(prefixed, path)
    expect(expanded).toEqual(await expand(app, path))
    expect(expanded).toHaveLength(1)
  },
)

test('the next page is a link with the prefix', async () => {
  const text = JSON.stringify(await expand(prefixed, secondPage))
  expect(text).toMatch(`"${next}":[{"@id":"${publicUrl}/meetings?`)
})

async function ask(of: Express, path: string) {
  const token = await tokenOf(tenant.users.owner)
  return (await request(of).get(path).set('Authorization', `Bearer ${token}`)).body
}

async function expand(of: Express, path: string) {
  return jsonld.expand((await ask(of, path)) as JsonLdDocument, {
    base: publicUrl + path,
    documentLoader: async (url) => ({ documentUrl: url, document: await ask(of, url.slice(publicUrl.length)) }),
  })
}
