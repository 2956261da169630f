import { render } from 'preact-render-to-string'
import type { Api, Problem } from '../../hydra/index.ts'
import { linkKeeper } from '../drawing.ts'
import type { PageRequest, ProblemDetails } from '../engine.ts'
import { Layout } from '../parts/layout.tsx'
import { languageOf } from '../words/language.ts'
import { ProblemPage, problemTitle } from './problem.tsx'
import { readablePath } from './readable-path.ts'

/** The whole page of a problem. */
export function problemPage(
  api: Api,
  problem: Problem,
  request: PageRequest,
  { caller, requestId, method }: ProblemDetails,
): string {
  const [path, search] = ownTarget(api, request.target).split('?')
  const query = new URLSearchParams(search)
  const language = languageOf({ query, language: (offered) => request.language(offered) })
  const to = linkKeeper(language)
  const isPage = method === 'GET' || method === 'HEAD'
  const target = isPage ? ownTarget(api, request.target) : to(readablePath(api, path))
  const inLanguage = (tag: string) => {
    query.set('lang', tag)
    return `${isPage ? path : readablePath(api, path)}?${query}`
  }
  const frame = { ...language, api, caller, inLanguage, to, target }
  return `<!doctype html>${render(
    <Layout {...frame} title={problemTitle(language.words, problem)}>
      <ProblemPage {...frame} problem={problem} requestId={requestId} />
    </Layout>,
  )}`
}

/** The address that failed, for links to it. A path that begins with two slashes would lead to another server. */
function ownTarget({ iris }: Api, target: string): string {
  return /^\/(?![/\\])/.test(target) ? target : iris.at('/')
}
