import { hash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { Router } from 'express'
import { methodNotAllowed, send } from '../hydra/index.ts'

interface Asset {
  type: string
  body: { text: string }
  etag: string
}

const types: Record<string, string> = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' }

const assets = new Map(['explorer.css', 'explorer.js', 'icon.svg'].map((name) => [name, assetOf(name)]))

/** The addresses of assets hold a digest of all of them, so browsers may keep them forever. */
const digest = hash('sha256', [...assets.values()].map(({ body }) => body.text).join(), 'hex').slice(0, 16)

/** The path of a file that the pages need. */
export function assetPath(name: string): string {
  return `/explorer/${digest}/${name}`
}

/** Serves the files that the pages need. */
export function assetRoutes(): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const path = assetPath(':name')
  router.get(path, ({ params: { name } }, response, next) => {
    const asset = assets.get(String(name))
    if (!asset) return next()
    response.setHeader('Allow', 'OPTIONS, HEAD, GET')
    response.setHeader('Cache-Control', 'public, max-age=31536000, immutable')
    return send(response, 200, asset.type, asset.body, asset.etag)
  })
  methodNotAllowed(router, path)
  return router
}

function assetOf(name: string): Asset {
  const text = readFileSync(fileOf(name), 'utf8')
  const type = types[name.slice(name.lastIndexOf('.') + 1)]
  return { type: `${type}; charset=utf-8`, body: { text }, etag: `"${hash('sha1', text, 'base64url')}"` }
}

/** The script is compiled by the build. A server that runs from its sources serves the one of the last build. */
function fileOf(name: string): URL {
  const file = new URL(`assets/${name}`, import.meta.url)
  return existsSync(file) ? file : new URL(`../../dist/src/explorer/assets/${name}`, import.meta.url)
}
