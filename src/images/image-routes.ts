import { Router } from 'express'
import { type Executor, Problem, send } from '../hydra/index.ts'
import { findImage } from './image-store.ts'

const path = '/images/:id'
const allow = { Allow: 'OPTIONS, HEAD, GET' }

/** An image never changes, may be embedded by any site, and is never interpreted as a page. */
const headers = {
  ...allow,
  'Cache-Control': 'public, max-age=31536000, immutable',
  Vary: 'Origin',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'cross-origin',
}

/** Serves images without a token: pages and mails embed them by their URL. */
export function imageRoutes(executor: Executor): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.get(path, async (request, response) => {
    const { id } = request.params
    const [image] = /^[0-9a-f]{64}$/.test(id) ? (await findImage(executor, { id })).rows : []
    if (!image) throw new Problem(404, 'Not found: no such image exists, or it was removed.')
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.setHeader('Repr-Digest', `sha-256=:${Buffer.from(id, 'hex').toString('base64')}:`)
    return send(response, 200, image.type, image.bytes, `"${id}"`)
  })
  router.options(path, (_, response) => {
    response.writeHead(204, allow).end()
  })
  router.all(path, () => {
    throw new Problem(405, 'An image can only be read.', allow)
  })
  return router
}
