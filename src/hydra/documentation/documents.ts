import { STATUS_CODES } from 'node:http'
import { type Request, type RequestHandler, type Response, Router } from 'express'
import { type Document, type Format, formats, formatsOf, html, json, jsonld, splitSuffix } from '../formats/format.ts'
import type { AccessControl } from '../http/authenticate.ts'
import type { BoundApi } from '../http/bound-api.ts'
import { negotiate, preferred } from '../http/headers/negotiation.ts'
import { methodNotAllowed } from '../http/method-not-allowed.ts'
import { viewOfDocument } from '../http/page-view.ts'
import { ApiRequest } from '../http/request.ts'
import { type Representation, represent, representPage, sendRepresentation } from '../http/write-response.ts'
import type { Caller } from '../model/caller.ts'
import { Problem } from '../model/problem.ts'
import type { Resource } from '../model/resource.ts'
import { apiDocumentation } from './api-documentation.ts'
import { openapi } from './openapi.ts'

type FormatChoice = (request: Request) => Format

const graphs = formats.filter((format) => !format.tabular && format !== html)

/** Routes of the documents that depend on metadata alone: entrypoint, contexts, documentation and errors. */
export function documents(api: BoundApi, access: AccessControl): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const contexts = new Map<string, RequestHandler>()
  const docs = apiDocumentation(api) as Document
  const schemas = JSON.stringify(openapi(api))
  const described = [...graphs, { type: 'application/vnd.openapi+json', suffix: 'jsonopenapi', write: () => schemas }]
  const single = formatsOf(api, { tabular: false })
  const serveDocument = documentServer(api, access)
  const paths = { start: ['/', ...suffixed('/index', formats)], docs: ['/docs', ...suffixed('/docs', described)] }
  router.get(paths.start, serveDocument(entrypoint(api), bySuffixOrAccept(single)))
  router.get('/docs.jsonld', serveDocument(docs, byAccept(graphs)))
  router.get(paths.docs, serveDocument(docs, bySuffixOrAccept(described)))
  router.get('/contexts/:name', (request, response, next) => {
    const name = request.params.name.replace(/\.json(ld)?$/, '')
    const context = api.context(name)
    if (!context) throw new Problem(404, 'No context has this name; that of the entrypoint is /contexts/Entrypoint.')
    const serve = contexts.get(name) ?? serveDocument(context as Document, byAccept([jsonld, json]))
    contexts.set(name, serve)
    return serve(request, response, next)
  })
  router.get('/errors/:status', (request, response, next) => {
    const [status] = splitSuffix(request.params.status)
    const title = /^[345]\d\d$/.test(status) ? STATUS_CODES[status] : undefined
    if (!title) throw new Problem(404, 'No HTTP error has this status.')
    return serveDocument(errorDocument(api, Number(status), title), bySuffixOrAccept(single))(request, response, next)
  })
  for (const path of [...paths.start, ...paths.docs, '/contexts/:name', '/errors/:status'])
    methodNotAllowed(router, path)
  return router
}

/**
 * Each collection occurs twice: as a link for clients that know its name, and in a list for those that know its class.
 * Alcaeus reads that list only from a node of type `hydra:Resource`.
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

/** `manages` is the older name of `memberAssertion`, and the one that Heracles reads. */
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
  return api.spell(new Problem(status, `HTTP status ${status}: ${title}.`).document(api.iris.root))
}

function suffixed(path: string, offered: Format[]): string[] {
  return [...new Set(offered.map(({ suffix }) => `${path}.${suffix}`))]
}

function bySuffixOrAccept(offered: Format[]): FormatChoice {
  return ({ headers, path }) => negotiate(headers, offered, /\.(\w+)$/.exec(path)?.[1])
}

/** A document that others refer to by a path with a suffix never fails with 406: JSON-LD is its fallback. */
function byAccept(offered: Format[]): FormatChoice {
  return ({ headers }) => preferred(headers.accept, offered) ?? jsonld
}

/** Serves a document in the negotiated format; each representation but a page is written on first use and then kept. */
function documentServer(api: BoundApi, access: AccessControl) {
  return (document: Document, choice: FormatChoice): RequestHandler => {
    const serve = representationServer(api, document)
    return async (request, response) => {
      const format = choice(request)
      response.setHeader('Allow', 'OPTIONS, HEAD, GET')
      if (format !== html) return serve(format, response)
      const caller = await callerOf(api, access, request)
      const asked = new ApiRequest({ id: undefined, request, caller, publicUrl: api.iris.publicUrl })
      response.setHeader('Cache-Control', 'private, no-cache')
      const page = await representPage(api, viewOfDocument(api, document, caller, asked), response)
      return sendRepresentation(response, 200, page)
    }
  }
}

/** These documents need no token, so a page for an invalid one is that of an anonymous caller. */
function callerOf(api: BoundApi, { authenticate }: AccessControl, request: Request): Promise<Caller> {
  return authenticate(request).catch((error) => {
    if (error instanceof Problem && error.status === 401) return { role: api.roles.anonymous, user: null, tenant: null }
    throw error
  })
}

function representationServer(api: BoundApi, document: Document) {
  const representations = new Map<Format, Representation>()
  return async (format: Format, response: Response): Promise<void> => {
    if (!representations.has(format)) {
      const written = constant(await represent(api, document, format))
      // Another request may have written it meanwhile.
      if (!representations.has(format)) representations.set(format, written)
    }
    response.setHeader('Cache-Control', 'public, max-age=3600')
    return sendRepresentation(response, 200, representations.get(format) as Representation)
  }
}

function constant(representation: Representation & { body: string }): Representation {
  return { ...representation, body: { text: representation.body } }
}
