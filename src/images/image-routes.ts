import { Router } from 'express'
import { type Executor, Problem, send } from '../hydra/index.ts'
import { findImage } from './image-store.ts'

const path = '/images/:id'
const allow = { Allow: 'OPTIONS, HEAD, GET' }

/** What every image says of itself: it never changes, may be shown anywhere, and is never anything but an image. */
const headers = {
  ...allow,
  'Cache-Control': 'public, max-age=31536000, immutable',
  Vary: 'Origin',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'cross-origin',
}

/** Images, which anybody may see who has the address of one: pages and mails show them without a token. */
export function images(executor: Executor): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.get(path, async (request, response) => {
    const { id } = request.params
    const [image] = /^[0-9a-f]{64}$/.test(id) ? (await findImage(executor, { id })).rows : []
    if (!image) throw new Problem(404, 'There is no such image, or not any more.')
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.setHeader('Repr-Digest', `sha-256=:${Buffer.from(id, 'hex').toString('base64')}:`)
    send(response, 200, image.type, image.bytes, `"${id}"`)
  })
  router.options(path, (_, response) => {
    response.writeHead(204, allow).end()
  })
  router.all(path, () => {
    throw new Problem(405, 'An image can only be read.', allow)
  })
  return router
}
