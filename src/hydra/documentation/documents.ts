import { STATUS_CODES } from 'node:http'
import { type Request, type RequestHandler, Router } from 'express'
import { type Document, type Format, formats, json, jsonld, splitSuffix } from '../formats/format.ts'
import { contentSecurityPolicy } from '../formats/html.ts'
import type { BoundApi } from '../http/bound-api.ts'
import { digestOf } from '../http/digest.ts'
import { methodNotAllowed } from '../http/method-not-allowed.ts'
import { negotiate, preferred } from '../http/negotiation.ts'
import { type Representation, represent, sendRepresentation } from '../http/write-response.ts'
import { Problem } from '../model/problem.ts'
import type { Resource } from '../model/resource.ts'
import { documentation } from './documentation.ts'
import { openapi } from './openapi.ts'
import { vocabularyPage } from './vocabulary.ts'

type Choice = (request: Request) => Format

const single = formats.filter(({ tabular }) => !tabular)
const graphs = single.filter(({ type }) => type !== 'text/html')

/** The documents that metadata alone decides, made once: entrypoint, contexts, documentation, errors. */
export function documents(api: BoundApi): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const docs = documentation(api) as Document
  const terms = vocabularyPage(api, docs)
  const schemas = JSON.stringify(openapi(api))
  const page = { type: 'text/html', headers: { 'Content-Security-Policy': contentSecurityPolicy }, write: () => terms }
  const described = [...graphs, { type: 'application/vnd.openapi+json', suffix: 'jsonopenapi', write: () => schemas }]
  const paths = { start: ['/', ...suffixed('/index', formats)], docs: ['/docs', ...suffixed('/docs', described)] }
  router.get(paths.start, offer(api, entrypoint(api), byName(single)))
  router.get('/docs.jsonld', offer(api, docs, byAccept(graphs)))
  router.get(paths.docs, offer(api, docs, byName(described)))
  router.get(
    '/docs.html',
    offer(api, docs, () => page),
  )
  router.get('/contexts/:name', (request, response, next) => {
    const context = api.context(request.params.name.replace(/\.json(ld)?$/, ''))
    if (!context) throw new Problem(404, `There is no context of that name; the entrypoint's is /contexts/Entrypoint.`)
    return offer(api, context as Document, byAccept([jsonld, json]))(request, response, next)
  })
  router.get('/errors/:status', (request, response, next) => {
    const [status] = splitSuffix(request.params.status)
    const title = /^[345]\d\d$/.test(status) ? STATUS_CODES[status] : undefined
    if (!title) throw new Problem(404, 'There is no error of that status.')
    return offer(api, errorDocument(api, Number(status), title), byName(single))(request, response, next)
  })
  for (const path of [...paths.start, ...paths.docs, '/docs.html', '/contexts/:name', '/errors/:status'])
    methodNotAllowed(router, path)
  return router
}

/**
 * Each collection is a link of its own, for clients that know its name, and one of a list, for those that know a class.
 * Alcaeus reads the list of what is typed as a resource of Hydra only.
 */
function entrypoint(api: BoundApi): Document {
  return {
    '@context': api.iris.at('/contexts/Entrypoint'),
    '@id': api.iris.at('/'),
    '@type': ['Entrypoint', 'hydra:Resource'],
    ...Object.fromEntries(api.listed().map(([key, { path }]) => [key, api.iris.at(path)])),
    collection: api.listed().map(([, resource]) => collectionOf(api, resource)),
  }
}

/** The class of its members is also said by the older name of the assertion, which is the one that Heracles reads. */
function collectionOf(api: BoundApi, resource: Resource): object {
  const assertion = api.assertionOf(resource)
  return api.spell({
    '@id': api.iris.at(resource.path),
    '@type': 'Collection',
    memberAssertion: assertion,
    manages: assertion,
  })
}

function errorDocument(api: BoundApi, status: number, title: string): Document {
  return api.spell(new Problem(status, `The status ${status} of HTTP: ${title}.`).document(api.iris.root))
}

function suffixed(path: string, offered: Format[]): string[] {
  return [...new Set(offered.map(({ suffix }) => `${path}.${suffix}`))]
}

function byName(offered: Format[]): Choice {
  return ({ headers, path }) => negotiate(headers, offered, /\.(\w+)$/.exec(path)?.[1])
}

/** What has an address with a suffix in it, that others refer to by, is never refused: it is JSON-LD for want of better. */
function byAccept(offered: Format[]): Choice {
  return ({ headers }) => preferred(headers.accept, offered) ?? jsonld
}

/** Answers with a document in the format chosen, in which it is written when that is first asked for. */
function offer(api: BoundApi, document: Document, choice: Choice): RequestHandler {
  const written = new Map<Format, Representation>()
  return async (request, response) => {
    const format = choice(request)
    const kept = written.get(format) ?? digested(await represent(api, document, format))
    written.set(format, kept)
    response.setHeader('Allow', 'OPTIONS, HEAD, GET')
    response.setHeader('Cache-Control', 'public, max-age=3600')
    sendRepresentation(response, 200, kept)
  }
}

function digested(written: Representation): Representation {
  return { ...written, headers: { ...written.headers, 'Repr-Digest': digestOf(written.body) } }
}
