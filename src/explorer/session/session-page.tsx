import type { Request } from 'express'
import { render } from 'preact-render-to-string'
import type { Api } from '../../hydra/index.ts'
import { linkKeeper } from '../drawing.ts'
import { Layout } from '../parts/layout.tsx'
import { type Language, languageOf } from '../words/language.ts'
import { AccountPage } from './account-page.tsx'
import type { SessionView } from './session-view.ts'
import { sessionWords } from './session-words.ts'
import { SignInPage } from './sign-in-page.tsx'

/** The page `/session`. */
export function sessionPage(view: SessionView): string {
  const { api, request, caller, signedIn } = view
  const language = languageIn(request)
  const words = sessionWords[language.tag]
  const page = api.iris.at('/session')
  const back = view.to === undefined ? '' : `&return=${encodeURIComponent(view.to)}`
  const frame = {
    ...language,
    api,
    caller,
    title: signedIn ? words.title : words.signIn,
    target: view.to ?? api.iris.at('/'),
    to: linkKeeper(language),
    inLanguage: (tag: string) => `${page}?lang=${tag}${back}`,
  }
  return `<!doctype html>${render(
    <Layout {...frame}>
      {signedIn ? (
        <AccountPage {...frame} words={words} account={signedIn} />
      ) : (
        <SignInPage {...frame} words={words} view={view} />
      )}
    </Layout>,
  )}`
}

/** A page that leads to another address by itself, at once, with a link for browsers that do not. */
export function continuePage(api: Api, request: Request, url: string): string {
  const { tag } = languageIn(request)
  const words = sessionWords[tag]
  return `<!doctype html>${render(
    <html lang={tag}>
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="refresh" content={`0;url=${url}`} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${words.continuing} · ${api.info.title}`}</title>
      </head>
      <body>
        <main>
          <h1>{words.continuing}</h1>
          <p>
            <a href={url}>{words.continue}</a>
          </p>
        </main>
      </body>
    </html>,
  )}`
}

/** The language of a page outside the API's own resources. */
export function languageIn(request: Request): Language {
  const language = (offered: string[]) => request.acceptsLanguages(offered) || offered[0]
  return languageOf({ query: new URLSearchParams(request.originalUrl.split('?')[1]), language })
}
