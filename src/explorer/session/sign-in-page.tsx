import type { Api } from '../../hydra/index.ts'
import type { SessionView } from './session-view.ts'
import type { SessionWords } from './session-words.ts'

interface SignInProps {
  api: Api
  words: SessionWords
  view: SessionView
  to(path: string): string
}

/** The ways to sign in: at the provider, as a person of the demo, or with a token. */
export function SignInPage({ api, words, view, to }: SignInProps) {
  const { problem, provider, people } = view
  const page = api.iris.at('/session')
  const start = `${page}/start${view.to === undefined ? '' : `?return=${encodeURIComponent(view.to)}`}`
  const back = view.to !== undefined && <input type="hidden" name="return" value={view.to} />
  return (
    <>
      {problem && (
        <div role="alert" class="refusal">
          <strong>{words.refused}.</strong> {problem.message}
        </div>
      )}
      {provider && (
        <p>
          <a class="button" href={to(start)}>
            {words.at(provider)}
          </a>
        </p>
      )}
      {people.length > 0 && (
        <section aria-labelledby="demo">
          <h2 id="demo">{words.demo}</h2>
          <form method="post" action={to(page)}>
            {back}
            <ul class="choices">
              {people.map(({ id, name }) => (
                <li key={id}>
                  <button name="person" value={id} type="submit">
                    {words.signInAs(name, id)}
                  </button>
                </li>
              ))}
            </ul>
          </form>
          <p class="hint">{words.demoHint}</p>
        </section>
      )}
      <section aria-labelledby="by-token">
        <h2 id="by-token">{words.byToken}</h2>
        <form method="post" action={to(page)}>
          {back}
          <p>
            <label for="token">{words.token}</label>
            <input
              id="token"
              name="token"
              type="password"
              required
              autocomplete="off"
              spellcheck={false}
              aria-describedby="token-hint"
            />
          </p>
          <p class="hint" id="token-hint">
            {words.tokenHint}
          </p>
          <button type="submit">{words.signIn}</button>
        </form>
      </section>
    </>
  )
}
