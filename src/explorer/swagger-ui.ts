import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Response, Router } from 'express'
import directory from 'swagger-ui-dist/absolute-path.js'
import { etagOf } from '../hydra/http/conditional-request.ts'
import { digestOf } from '../hydra/http/digest.ts'
import { answerOptions } from '../hydra/http/method-not-allowed.ts'
import { send } from '../hydra/http/respond.ts'

/**
 * Starts Swagger UI from a file, so that the page needs to allow no inline script. The token is kept in the session storage:
 * for this tab and until it is closed, while the option `persistAuthorization` would leave it in the browser for good.
 */
const start = `const dark = matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()

const key = 'bearer'
const keepToken = {
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (act) => (given) => {
          if (given.bearer?.value) sessionStorage.setItem(key, given.bearer.value)
          return act(given)
        },
        logout: (act) => (names) => {
          sessionStorage.removeItem(key)
          return act(names)
        },
      },
    },
  },
}

const ui = SwaggerUIBundle({
  url: 'docs.jsonopenapi',
  dom_id: '#reference',
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [keepToken],
  validatorUrl: null,
  onComplete() {
    const token = sessionStorage.getItem(key)
    if (token) ui.preauthorizeApiKey(key, token)
  },
})
`

/** Lets the page follow the theme, and long paths, tables and menus fit the width of a telephone. */
const style = `:root { color-scheme: light dark; }
body { margin: 0; background: Canvas; }
.swagger-ui { overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  .swagger-ui .wrapper { padding: 0 0.5rem; }
  .swagger-ui .scheme-container .schemes, .swagger-ui .opblock .opblock-summary,
  .swagger-ui .opblock .opblock-section-header { flex-wrap: wrap; }
  .swagger-ui .opblock .opblock-summary-path, .swagger-ui .opblock .opblock-summary-description { max-width: 100%; }
  .swagger-ui .opblock-tag small { padding: 0; flex-basis: 100%; }
  .swagger-ui .opblock-tag { flex-wrap: wrap; }
  .swagger-ui select, .swagger-ui input, .swagger-ui textarea, .swagger-ui pre, .swagger-ui img { max-width: 100%; }
  .swagger-ui input[type], .swagger-ui select { min-width: 0; }
  .swagger-ui .table-container, .swagger-ui .opblock-body, .swagger-ui .models { overflow-x: auto; }
  .swagger-ui .parameters-col_name { width: 40%; max-width: 9rem; }
  .swagger-ui .modal-ux { min-width: 0; width: 95%; }
}
`

interface File {
  type: string
  body: string
  etag: string
  digest: string
}

const read = (name: string) => readFileSync(join(directory(), name), 'utf8')
const file = (type: string, body: string): File => ({
  type: `${type}; charset=utf-8`,
  body,
  etag: etagOf(body),
  digest: digestOf(body),
})

const assets: Record<string, File> = {
  'swagger-ui.css': file('text/css', read('swagger-ui.css')),
  'swagger-ui-bundle.js': file('text/javascript', read('swagger-ui-bundle.js')),
  'start.js': file('text/javascript', start),
  'reference.css': file('text/css', style),
}

/** Assets live under a digest of them all, so that browsers may keep them for good. */
const digest = hash(
  'sha256',
  Object.values(assets)
    .map(({ body }) => body)
    .join(),
  'hex',
).slice(0, 16)

const page = file(
  'text/html',
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Organization API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/assets/${digest}/swagger-ui.css">
<link rel="stylesheet" href="docs/assets/${digest}/reference.css">
</head>
<body>
<div id="reference"></div>
<noscript>This page needs scripts; the same is at <a href="docs.html">docs.html</a>, <a href="docs.jsonld">docs.jsonld</a> and <a href="docs.jsonopenapi">docs.jsonopenapi</a>.</noscript>
<script src="docs/assets/${digest}/swagger-ui-bundle.js"></script>
<script src="docs/assets/${digest}/start.js"></script>
</body>
</html>
`,
)

/** Swagger UI sets styles on its elements and has pictures in its style sheet; it loads and asks nothing but this server. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** What else the documentation can be had as; a browser likes a page better. */
const machines = [
  'application/ld+json',
  'application/json',
  'application/vnd.openapi+json',
  'text/turtle',
  'application/n-quads',
]

/** The reference that people read in a browser, at the address of the documentation. */
export function swaggerUi(): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.get('/docs', (request, response, next) => {
    if (request.accepts([...machines, 'text/html']) !== 'text/html') return next()
    response.setHeader('Content-Security-Policy', policy)
    response.setHeader('Cache-Control', 'public, max-age=3600')
    answer(response, page)
  })
  answerOptions(router, '/docs')
  router.get(`/docs/assets/${digest}/:name`, ({ params: { name } }, response, next) => {
    const asset = Object.hasOwn(assets, name) ? assets[name] : undefined
    if (!asset) return next()
    response.setHeader('Cache-Control', 'public, max-age=31536000, immutable')
    answer(response, asset)
  })
  answerOptions(router, `/docs/assets/${digest}/:name`)
  return router
}

function answer(response: Response, { type, body, etag, digest }: File): void {
  response.setHeader('Allow', 'OPTIONS, HEAD, GET')
  response.setHeader('Repr-Digest', digest)
  send(response, 200, type, body, etag)
}
