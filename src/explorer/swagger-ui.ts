import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Response, Router } from 'express'
import directory from 'swagger-ui-dist/absolute-path.js'
import { send } from '../hydra/index.ts'

/**
 * Starts Swagger UI. It is a file, so the page's policy forbids inline scripts. The session storage keeps the token until the tab
 * is closed; the option `persistAuthorization` would keep it in the browser forever.
 */
const startScript = `const dark = matchMedia('(prefers-color-scheme: dark)')
const applyTheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', applyTheme)
applyTheme()

const key = 'bearer'
const keepToken = {
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (authorize) => (payload) => {
          if (payload.bearer?.value) sessionStorage.setItem(key, payload.bearer.value)
          return authorize(payload)
        },
        logout: (logout) => (names) => {
          sessionStorage.removeItem(key)
          return logout(names)
        },
      },
    },
  },
}

/* An operation's path is a link inside of a button, and the list of servers has no name: neither works with a screen reader. */
const reachable = {
  wrapComponents: {
    DeepLink: (_, { React }) => ({ text }) => React.createElement('span', null, text),
    Servers: (Original, { React }) => (props) => {
      React.useEffect(() => document.getElementById('servers')?.setAttribute('aria-label', 'Server'))
      return React.createElement(Original, props)
    },
  },
}

const ui = SwaggerUIBundle({
  url: 'docs.jsonopenapi',
  dom_id: '#reference',
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [keepToken, reachable],
  validatorUrl: null,
  onComplete() {
    const token = sessionStorage.getItem(key)
    if (token) ui.preauthorizeApiKey(key, token)
  },
})
`

/** Follows the system's theme, has contrast, and fits long paths, tables and menus to the width of a phone. */
const style = `:root { color-scheme: light dark; }
body { margin: 0; background: Canvas; }
.swagger-ui { overflow-wrap: anywhere; }
html:not(.dark-mode) .swagger-ui .info .title small.version-stamp { background-color: #4a6a00; }
html:not(.dark-mode) .swagger-ui .info :is(a, .url), html:not(.dark-mode) .swagger-ui a.link { color: #12578f; }
html:not(.dark-mode) .swagger-ui .btn.authorize { color: #1d632e; border-color: #1d632e; }
html:not(.dark-mode) .swagger-ui .json-schema-2020-12-expand-deep-button { color: #57606a; }
html:not(.dark-mode) .swagger-ui .btn.execute { background-color: #12578f; border-color: #12578f; }
html:not(.dark-mode) .swagger-ui .opblock-get .opblock-summary-method { background: #12578f; }
html:not(.dark-mode) .swagger-ui .opblock-post .opblock-summary-method { background: #1d632e; }
html:not(.dark-mode) .swagger-ui .opblock-patch .opblock-summary-method { background: #0a665b; }
html:not(.dark-mode) .swagger-ui .opblock-delete .opblock-summary-method { background: #a3261f; }
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
  body: { text: string }
  etag: string
}

const read = (name: string) => readFileSync(join(directory(), name), 'utf8')
const file = (type: string, text: string): File => ({
  type: `${type}; charset=utf-8`,
  body: { text },
  etag: `"${hash('sha1', text, 'base64url')}"`,
})

const assets: Record<string, File> = {
  'swagger-ui.css': file('text/css', read('swagger-ui.css')),
  'swagger-ui-bundle.js': file('text/javascript', read('swagger-ui-bundle.js')),
  'start.js': file('text/javascript', startScript),
  'reference.css': file('text/css', style),
}

/** The URLs of assets hold a digest of all of them, so browsers may cache them forever. */
const digest = hash(
  'sha256',
  Object.values(assets)
    .map(({ body }) => body.text)
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
<noscript>This page needs scripts. The same documentation is at <a href="docs/reference">docs/reference</a>, <a href="docs.jsonld">docs.jsonld</a> and <a href="docs.jsonopenapi">docs.jsonopenapi</a>.</noscript>
<script src="docs/assets/${digest}/swagger-ui-bundle.js"></script>
<script src="docs/assets/${digest}/start.js"></script>
</body>
</html>
`,
)

/** Swagger UI sets inline styles and has images in its style sheet. It sends requests to this server only. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The other media types of the documentation. A browser prefers HTML to them. */
const machineTypes = [
  'application/ld+json',
  'application/json',
  'application/vnd.openapi+json',
  'text/turtle',
  'application/n-quads',
]

const allow = { Allow: 'OPTIONS, HEAD, GET' }

/** Serves Swagger UI at the URL of the documentation, for clients that prefer HTML. */
export function swaggerUi(): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.get('/docs', (request, response, next) => {
    if (request.accepts([...machineTypes, 'text/html']) !== 'text/html') return next()
    response.setHeader('Content-Security-Policy', policy)
    response.setHeader('Cache-Control', 'public, max-age=3600')
    return sendFile(response, page)
  })
  answerOptions(router, '/docs')
  router.get(`/docs/assets/${digest}/:name`, ({ params: { name } }, response, next) => {
    const asset = Object.hasOwn(assets, name) ? assets[name] : undefined
    if (!asset) return next()
    response.setHeader('Cache-Control', 'public, max-age=31536000, immutable')
    return sendFile(response, asset)
  })
  answerOptions(router, `/docs/assets/${digest}/:name`)
  return router
}

/** Express itself answers OPTIONS with 200 and a text. */
function answerOptions(router: Router, path: string): void {
  router.options(path, (_, response) => {
    response.writeHead(204, allow).end()
  })
}

function sendFile(response: Response, { type, body, etag }: File): Promise<void> {
  response.setHeader('Allow', 'OPTIONS, HEAD, GET')
  return send(response, 200, type, body, etag)
}
