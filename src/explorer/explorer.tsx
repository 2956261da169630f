import { render } from 'preact-render-to-string'
import type { Api, Caller, Executor } from '../hydra/index.ts'
import { type ChoicesOf, choicesOf, type ReadChoices, readChoices } from './choices.ts'
import { type Drawing, linkKeeper, withParameters } from './drawing.ts'
import type { Pages } from './engine.ts'
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
    async draw(view) {
      const { content } = view
      const language = languageOf(view.request)
      const to = linkKeeper(language)
      const known = { ...language, api, view, to }
      const offered = shownOperation(view)
      const rule = offered ? undefined : pictureOf(known)
      const referring = content ? [shownReferences(content, rule)] : []
      if (offered) referring.unshift(formReferences(known, offered))
      else if (content) referring.unshift(filteringReferences(known, content, rule))
      // The reads begin at the same moment, so that they reach the database together.
      const reading = content ? timeZone(view.executor, view.caller) : Promise.resolve('UTC')
      const [zone, references, read, picture] = await Promise.all([
        reading,
        readReferences(known, referring),
        offered
          ? readFormChoices(known, offered)
          : content
            ? readChoices(known, filteredReferences(known, content, rule), (name) => searchTextOf(known, name))
            : ([] as ReadChoices),
        readPicture(view, rule, reading),
      ])
      const named = { ...known, formats: formatsIn(language.tag, zone) }
      if (rule?.kind === 'calendar') requirePeriod(named, rule)
      const drawing = { ...named, titles: titlesOf(named, references) }
      const choices = choicesOf(named, read)
      return offered ? formPageOf(drawing, formOf(drawing, offered), choices) : pageOf(drawing, choices, picture)
    },
    drawProblem: (problem, request, about) => problemPage(api, problem, request, about),
  })
}

/** The page of a form, below the page of its item or collection. */
function formPageOf(drawing: Drawing, form: Form, choices: ChoicesOf): string {
  const { view } = drawing
  const { operation, resource } = form.offered
  const parent = { label: titleOfPage(drawing), href: view.document['@id'] as string }
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
  const inLanguage = (tag: string) => withParameters(drawing, { lang: [tag] })
  return `<!doctype html>${render(
    <Layout
      {...drawing}
      hasScript
      caller={view.caller}
      document={view.document}
      title={titleOfPage(drawing)}
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

function titleOfPage(drawing: Drawing): string {
  const { api, tag, view } = drawing
  const { content, document } = view
  if (!content) return String(document.title ?? document['hydra:title'] ?? api.info.title)
  const [item] = content.items
  return content.collection || !item
    ? collectionLabel(api, tag, content.resource)
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
