import { render } from 'preact-render-to-string'
import type { Api, Caller, Executor } from '../hydra/index.ts'
import { type ChoicesOf, choicesOf, type ReadChoices, readChoices } from './choices.ts'
import { type Drawing, linkKeeper, type Title, withParameters } from './drawing.ts'
import type { OfferedOperation, Pages } from './engine.ts'
import {
  type Form,
  formAddress,
  formName,
  formOf,
  formParameter,
  formReferences,
  readFormChoices,
  shownOperation,
} from './forms/form.ts'
import { FormPage } from './forms/form-page.tsx'
import { CollectionPage } from './pages/collection.tsx'
import { DocumentPage } from './pages/document.tsx'
import { ItemPage } from './pages/item.tsx'
import { problemPage } from './pages/problem-page.tsx'
import { StartPage } from './pages/start.tsx'
import { filteredReferences, filteringReferences, searchTextOf } from './parts/filter-state.ts'
import { formatsIn } from './parts/formats.ts'
import { type Crumb, Layout } from './parts/layout.tsx'
import { drawTitle } from './parts/value.tsx'
import { requirePeriod } from './pictures/calendar.tsx'
import { pictureOf } from './pictures/pictures.ts'
import { type ReadPicture, readPicture, shownReferences } from './pictures/read-picture.ts'
import { pagePolicy } from './policy.ts'
import { readReferences, titleOf, titlesOf } from './titles.ts'
import { collectionLabel } from './words/labels.ts'
import { languageOf } from './words/language.ts'
import { operationTitle } from './words/operation-words.ts'

interface ExplorerOptions {
  /** The time zone of the caller's organization. */
  timeZone(executor: Executor, caller: Caller): Promise<string>
}

/** Every resource as a page for people. Nothing is written for one resource: everything comes from the API's metadata. */
export function explorer({ timeZone }: ExplorerOptions): (api: Api) => Pages {
  return (api) => ({
    headers: { 'Content-Security-Policy': pagePolicy },
    draw(view) {
      const language = languageOf(view.request)
      const known = { ...language, api, view, to: linkKeeper(language) }
      const zone = view.content ? timeZone(view.executor, view.caller) : Promise.resolve('UTC')
      // A page that is refused first never waits for the zone. Its rejection would then end the process.
      zone.catch(() => {})
      const offered = shownOperation(view)
      return offered ? drawForm(known, offered, zone) : drawPage(known, zone)
    },
    drawProblem: (problem, request, about) => problemPage(api, problem, request, about),
  })
}

/** A drawing before its rows are read. */
type Undrawn = Omit<Drawing, 'formats' | 'titles'>

/** The reads of a page begin at the same moment, so that they reach the database together. */
async function drawPage(known: Undrawn, reading: Promise<string>): Promise<string> {
  const { tag, view } = known
  const { content } = view
  const rule = pictureOf(known)
  const referring = content ? [filteringReferences(known, content, rule), shownReferences(known, content, rule)] : []
  const [zone, references, read, picture] = await Promise.all([
    reading,
    readReferences(known, referring),
    content
      ? readChoices(known, filteredReferences(known, content, rule), (name) => searchTextOf(known, name))
      : ([] as ReadChoices),
    readPicture(view, rule, reading),
  ])
  const named = { ...known, formats: formatsIn(tag, zone) }
  if (rule?.kind === 'calendar') requirePeriod(named, rule)
  return pageOf({ ...named, titles: titlesOf(named, references) }, choicesOf(named, read), picture)
}

/** The choices of a form have most of its titles, so they are read first. */
async function drawForm(known: Undrawn, offered: OfferedOperation, reading: Promise<string>): Promise<string> {
  const named = { ...known, formats: formatsIn(known.tag, await reading) }
  const form = formOf(named, offered)
  const choices = choicesOf(named, await readFormChoices(named, form))
  const references = await readReferences(named, formReferences(named, form, choices))
  const chosen = [...choices.values()].flatMap(({ options }) => options)
  const titles = new Map([
    ...titlesOf(named, references),
    ...chosen.map(({ value, title }): [string, Title] => [value, { text: title }]),
  ])
  return formPageOf({ ...named, titles }, form, choices)
}

/** The page of a form, below the page of its item or collection. */
function formPageOf(drawing: Drawing, form: Form, choices: ChoicesOf): string {
  const { view } = drawing
  const { operation, resource } = form.offered
  const parent = { label: titleOfPage(drawing).text, href: view.document['@id'] as string }
  return `<!doctype html>${render(
    <Layout
      {...drawing}
      hasScript
      caller={view.caller}
      title={operationTitle(drawing, resource, operation)}
      target={view.request.target}
      trail={[...trailOf(drawing), parent]}
      // Another language opens the form itself: the address of its operation takes no GET.
      inLanguage={(tag) =>
        view.refused
          ? `${formAddress(drawing)}&lang=${tag}`
          : withParameters(drawing, { lang: [tag], [formParameter]: [formName(form.offered)] })
      }
    >
      <FormPage drawing={drawing} form={form} choices={choices} />
    </Layout>,
  )}`
}

function pageOf(drawing: Drawing, choices: ChoicesOf, picture: ReadPicture | undefined): string {
  const { view } = drawing
  const { content, request } = view
  const title = titleOfPage(drawing)
  const inLanguage = (tag: string) => withParameters(drawing, { lang: [tag] })
  return `<!doctype html>${render(
    <Layout
      {...drawing}
      hasScript
      caller={view.caller}
      json={view.json()}
      title={title.text}
      drawHeading={() => drawTitle(drawing, title)}
      target={request.target}
      trail={trailOf(drawing)}
      inLanguage={inLanguage}
    >
      {content?.collection && (
        <CollectionPage {...{ drawing, content, choices, picture }} collection={content.collection} />
      )}
      {content && !content.collection && <ItemPage drawing={drawing} content={content} />}
      {!content && (request.path === '/' || request.path === '/index') && <StartPage drawing={drawing} />}
      {!content && view.document['@type'] === 'Error' && <DocumentPage drawing={drawing} />}
    </Layout>,
  )}`
}

function titleOfPage(drawing: Drawing): Title {
  const { api, tag, view } = drawing
  const { content, document } = view
  if (!content) return { text: String(document.title ?? document['hydra:title'] ?? api.info.title) }
  const [item] = content.items
  return content.collection || !item
    ? { text: collectionLabel(api, tag, content.resource) }
    : titleOf(drawing, content.shape, item)
}

/** The way to a page: the start, and the collection of an item. */
function trailOf({ api, tag, words, view: { content } }: Drawing): Crumb[] {
  if (!content) return []
  const start = { label: words.start, href: api.iris.at('/') }
  const { resource, collection, items } = content
  if (collection || items.length === 0 || !resource.listed) return [start]
  return [start, { label: collectionLabel(api, tag, resource), href: api.iris.at(resource.path) }]
}
