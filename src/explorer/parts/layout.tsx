import type { ComponentChild, ComponentChildren, HTMLAttributes } from 'preact'
import type { Api, Caller, Resource } from '../../hydra/index.ts'
import { assetPath } from '../assets.ts'
import { collectionLabel } from '../words/labels.ts'
import { type Language, languages, wordsIn } from '../words/language.ts'
import { drawOnce } from './drawn-once.tsx'
import { markup } from './markup.ts'

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'live-updates': HTMLAttributes<HTMLElement> & { topic: string; stream: string }
    }
  }
}

interface Frame extends Language {
  api: Api
  title: string
  /** The title as the heading of the page, where it is more than its text. */
  drawHeading?(): ComponentChild
  /** Absent where the caller is not known. */
  caller?: Caller
  /** The path and the query of the page, to which the caller returns after signing in. */
  target: string
  /** The address of the same page in another language. */
  inLanguage(tag: string): string
  to(path: string): string
  /** The document of the page in JSON-LD, for crawlers (JSON-LD 1.1, §7). */
  json?: string
  /** The referrer policy of the page's own forms and links, where it differs from that of its header. */
  referrer?: string
  /** Whether the page has elements of the script. */
  hasScript?: boolean
  /** The ways to the page, from the start on. */
  trail?: Crumb[]
  children: ComponentChildren
}

/** One step of the way to a page. */
export interface Crumb {
  label: string
  href: string
}

/** The frame of every page. */
export function Layout(frame: Frame) {
  const { api, tag, words, title, drawHeading = () => title, json, to, children, trail = [] } = frame
  const isLive = api.streamed && frame.caller?.tenant && json
  return (
    <html lang={tag}>
      <head>
        {drawOnce(api, `head ${frame.hasScript}`, () => (
          <Assets api={api} hasScript={frame.hasScript} />
        ))}
        <title>{title === api.info.title ? title : `${title} · ${api.info.title}`}</title>
        {frame.referrer && <meta name="referrer" content={frame.referrer} />}
        {json && <EmbeddedDocument json={json} />}
      </head>
      <body>
        <a class="skip" href="#main">
          {words.skip}
        </a>
        <header class="bar">
          <a class="brand" href={to(api.iris.at('/'))}>
            {api.info.title}
          </a>
          {api.pages && <Account {...frame} />}
        </header>
        <Navigation {...frame} />
        <main id="main" tabIndex={-1}>
          <Breadcrumbs label={words.breadcrumbs} crumbs={trail} current={drawHeading()} to={to} />
          {isLive && <Changed {...frame} />}
          <h1>{drawHeading()}</h1>
          {children}
        </main>
        <Footer {...frame} />
      </body>
    </html>
  )
}

/** The style and the script of every page. */
function Assets({ api, hasScript }: Pick<Frame, 'api' | 'hasScript'>) {
  return (
    <>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <link rel="icon" href={api.iris.at(assetPath('icon.svg'))} />
      <link rel="stylesheet" href={api.iris.at(assetPath('explorer.css'))} />
      {hasScript && <script type="module" src={api.iris.at(assetPath('explorer.js'))} />}
    </>
  )
}

/** An escaped `<` cannot end the element or begin a comment; the text of a script is not escaped in HTML. */
function EmbeddedDocument({ json }: { json: string }) {
  const __html = json.replaceAll('<', '\\u003c')
  // biome-ignore lint/security/noDangerouslySetInnerHtml: browsers do not unescape the text of a script
  return <script type="application/ld+json" dangerouslySetInnerHTML={{ __html }} />
}

/** The way to sign in, or to the caller's account. The page of a problem does not know its caller. */
function Account({ api, words, caller, target, to }: Frame) {
  const isKnown = caller?.role !== api.roles.anonymous
  const session = api.iris.at('/session')
  const href = isKnown ? session : `${session}?return=${encodeURIComponent(target)}`
  return (
    <a class="account" href={to(href)}>
      {isKnown || !caller ? words.account : words.signIn}
    </a>
  )
}

/** The notice that the script shows when the resource of the page changes elsewhere. */
function Changed({ api, words, target }: Frame) {
  return (
    <live-updates topic={target.split(/[?.]/)[0]} stream={api.iris.at('/.well-known/mercure')} role="status" hidden>
      {words.changed} <a href={target}>{words.loadAgain}</a>
    </live-updates>
  )
}

/** The collections that the caller may list. They depend on the standing of the caller alone. */
function Navigation(frame: Frame) {
  const { api, tag, chosen, caller, target } = frame
  if (!caller) return null
  const [path] = target.split(/[?.]/)
  const local = api.iris.local(path)
  const [, current] = api.listed().find(([, resource]) => resource.path === local) ?? []
  const standing = Object.values(api.permissions.standingOf(caller))
  const key = ['navigation', tag, chosen, ...standing, current?.path]
  return drawOnce(api, key.join(' '), () => <Collections {...frame} caller={caller} current={current} />)
}

function Collections({
  api,
  tag,
  words,
  caller,
  current,
  to,
}: Frame & { caller: Caller; current: Resource | undefined }) {
  const listed = api
    .listed()
    .filter(([, { operations }]) =>
      operations.some((operation) => operation.name === 'list' && api.permissions.allows(operation, caller)),
    )
  if (listed.length === 0) return null
  return (
    <nav class="collections" aria-label={words.collections}>
      <ul>
        {listed.map(([, resource]) => {
          const href = api.iris.at(resource.path)
          return (
            <li key={href}>
              <a href={to(href)} aria-current={resource === current ? 'page' : undefined}>
                {collectionLabel(api, tag, resource)}
              </a>
            </li>
          )
        })}
      </ul>
    </nav>
  )
}

function Breadcrumbs({
  label,
  crumbs,
  current,
  to,
}: { label: string; crumbs: Crumb[]; current: ComponentChild } & Pick<Frame, 'to'>) {
  if (crumbs.length === 0) return null
  return (
    <nav class="breadcrumbs" aria-label={label}>
      <ol>
        {crumbs.map((crumb) => markup`<li><a href="${to(crumb.href)}">${crumb.label}</a></li>`)}
        <li aria-current="page">{current}</li>
      </ol>
    </nav>
  )
}

function Footer({ api, tag, words, to, inLanguage }: Frame) {
  return (
    <footer class="bar">
      <a href={to(api.iris.at('/docs/reference'))}>{words.reference}</a>
      <nav aria-label={words.languages}>
        {languages.map((other) => {
          const href = inLanguage(other)
          const { language } = wordsIn(other)
          return other === tag
            ? markup`<a href="${href}" lang="${other}" hreflang="${other}" aria-current="true">${language}</a>`
            : markup`<a href="${href}" lang="${other}" hreflang="${other}">${language}</a>`
        })}
      </nav>
    </footer>
  )
}
