import { STATUS_CODES } from 'node:http'
import { type RequestHandler, Router } from 'express'
import type { Api } from './api.ts'
import { etagOf } from './conditional.ts'
import { documentation } from './documentation.ts'
import { openapi } from './openapi.ts'
import { Problem } from './problem.ts'
import { send } from './respond.ts'

/** The documents that metadata alone decides, made once: entrypoint, contexts, documentation, errors. */
export function documents(api: Api): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const docs = documentation(api)
  fixed(router, '/', 'application/ld+json', entrypoint(api))
  fixed(router, '/docs.jsonld', 'application/ld+json', docs)
  fixed(router, '/docs.jsonopenapi', 'application/vnd.openapi+json', openapi(api))
  const hydra = served('application/ld+json', docs)
  const schemas = served('application/vnd.openapi+json', openapi(api))
  router.get('/docs', (request, response, next) => {
    const wanted = request.accepts(['application/ld+json', 'application/vnd.openapi+json'])
    if (!wanted)
      throw new Problem(406, 'The documentation is there as application/ld+json and application/vnd.openapi+json.')
    return (wanted === 'application/vnd.openapi+json' ? schemas : hydra)(request, response, next)
  })
  router.get('/contexts/:name', (request, response, next) => {
    const context = api.context(request.params.name.replace(/\.jsonld$/, ''))
    if (!context) throw new Problem(404, `There is no context of that name; the entrypoint's is /contexts/Entrypoint.`)
    return served('application/ld+json', context)(request, response, next)
  })
  router.get('/errors/:status', (request, response, next) => {
    const title = /^[345]\d\d$/.test(request.params.status) ? STATUS_CODES[request.params.status] : undefined
    if (!title) throw new Problem(404, 'There is no error of that status.')
    return served('application/ld+json', errorDocument(api, Number(request.params.status), title))(
      request,
      response,
      next,
    )
  })
  for (const path of ['/', '/docs', '/docs.jsonld', '/docs.jsonopenapi', '/contexts/:name', '/errors/:status'])
    readOnly(router, path)
  return router
}

function entrypoint(api: Api): object {
  return {
    '@context': '/contexts/Entrypoint',
    '@id': '/',
    '@type': 'Entrypoint',
    ...Object.fromEntries(api.listed().map(([key, { path }]) => [key, path])),
  }
}

function errorDocument(api: Api, status: number, title: string): object {
  return api.spell({
    '@context': '/contexts/Error',
    '@id': `/errors/${status}`,
    '@type': 'Error',
    type: `/errors/${status}`,
    title,
    status,
    detail: `The status ${status} of HTTP: ${title}.`,
    description: `The status ${status} of HTTP: ${title}.`,
  })
}

function fixed(router: Router, path: string, type: string, document: object): void {
  router.get(path, served(type, document))
}

function served(type: string, document: object): RequestHandler {
  const body = JSON.stringify(document)
  const etag = etagOf(body)
  return (_, response) => {
    response.setHeader('Allow', 'OPTIONS, HEAD, GET')
    response.setHeader('Cache-Control', 'public, max-age=3600')
    send(response, 200, `${type}; charset=utf-8`, body, etag)
  }
}

function readOnly(router: Router, path: string): void {
  router.options(path, (_, response) => {
    response.writeHead(204, { Allow: 'OPTIONS, HEAD, GET' }).end()
  })
  router.all(path, () => {
    throw new Problem(405, 'This document can only be read.', { Allow: 'OPTIONS, HEAD, GET' })
  })
}
