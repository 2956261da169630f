import { hash } from 'node:crypto'
import { type Request, type RequestHandler, Router } from 'express'
import { render } from 'preact-render-to-string'
import { type Api, methodNotAllowed, send } from '../../hydra/index.ts'
import { linkKeeper } from '../drawing.ts'
import { Layout } from '../parts/layout.tsx'
import { pagePolicy } from '../policy.ts'
import { type Language, languageOf } from '../words/language.ts'
import { boxesOf, diagramOf, layOut } from './diagram.ts'
import { examplesOf } from './examples.ts'
import { chaptersOf, type ReferenceGroup } from './groups.ts'
import { ReferencePage } from './page.tsx'
import { referenceWords } from './words.ts'

/** A page that is the same for every caller. */
interface Page {
  body: { text: string }
  etag: string
}

const path = '/docs/reference'

/** The reference for people, in each language. A page is drawn by its first request, and then kept. */
export function referenceRoutes(api: Api, groups: ReferenceGroup[]): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const pages = new Map<string, Promise<Page>>()
  const layouts = new Map<string, Promise<string>>()
  router.get(path, async (request, response) => {
    const language = languageOf(readerOf(request))
    const key = `${language.tag} ${language.chosen}`
    const page = pages.get(key) ?? draw(api, groups, language, layouts)
    pages.set(key, page)
    // A page that could not be drawn is drawn again by the next request.
    page.catch(() => pages.delete(key))
    response.setHeader('Allow', 'OPTIONS, HEAD, GET')
    response.setHeader('Cache-Control', 'public, max-age=3600')
    response.setHeader('Content-Language', language.tag)
    response.vary('Accept-Language')
    response.setHeader('Content-Security-Policy', pagePolicy)
    const { body, etag } = await page
    return send(response, 200, 'text/html; charset=utf-8', body, etag)
  })
  // A browser keeps the fragment of the address through the redirect, so a term leads to its section.
  const lead: RequestHandler = ({ originalUrl }, response) => {
    const [, query] = originalUrl.split('?')
    response.redirect(303, api.iris.at(path) + (query === undefined ? '' : `?${query}`))
  }
  router.get('/docs.html', lead)
  router.get('/docs.jsonld', (request, response, next) =>
    request.accepts([...graphTypes, 'text/html']) === 'text/html' ? lead(request, response, next) : next(),
  )
  for (const own of [path, '/docs.html']) methodNotAllowed(router, own)
  return router
}

/** The media types of the documentation for programs. A browser prefers HTML to them. */
const graphTypes = ['application/ld+json', 'application/json', 'text/turtle', 'application/n-quads']

function readerOf(request: Request) {
  const query = new URLSearchParams(request.originalUrl.split('?')[1])
  return { query, language: (offered: string[]) => request.acceptsLanguages(offered) || offered[0] }
}

async function draw(
  api: Api,
  groups: ReferenceGroup[],
  language: Language,
  layouts: Map<string, Promise<string>>,
): Promise<Page> {
  const { tag } = language
  const words = referenceWords[tag]
  const classes = api.reference()
  const boxes = boxesOf(classes, (type) => api.labels.label(tag, type))
  const layout = layouts.get(tag) ?? layOut(boxes)
  layouts.set(tag, layout)
  layout.catch(() => layouts.delete(tag))
  const reference = {
    ...{ api, tag, words, boxes },
    chapters: chaptersOf(classes, groups, tag, words),
    examples: await examplesOf(api),
    diagram: diagramOf(await layout, words.diagram),
    to: linkKeeper(language),
  }
  const target = api.iris.at(path)
  const text = `<!doctype html>${render(
    <Layout
      {...reference}
      {...language}
      title={words.title}
      target={target}
      inLanguage={(other) => `${target}?lang=${other}`}
    >
      <ReferencePage {...reference} />
    </Layout>,
  )}`
  return { body: { text }, etag: `"${hash('sha1', text, 'base64url')}"` }
}
