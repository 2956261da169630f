import type { Person } from '../../access/session/choices.ts'
import type { SessionRow } from '../../access/session/session-rows.ts'
import type { OpenSession } from '../../access/session/sessions.ts'
import type { Api, Caller } from '../../hydra/index.ts'
import { localeOf } from '../parts/formats.ts'
import { ScrollingTable } from '../parts/scrolling-table.tsx'
import { roleName } from '../words/operation-words.ts'
import { browserName } from './browser-name.ts'
import type { SessionWords } from './session-words.ts'

/** A session with its person, and with the person's other sessions. */
export interface Account {
  session: OpenSession
  person: Person
  sessions: SessionRow[]
  formToken: string
  /** The path of the page that led here. */
  back: string | undefined
}

interface AccountProps {
  api: Api
  tag: string
  words: SessionWords
  caller: Caller
  account: Account
  to(path: string): string
}

/** The account of a person who has signed in. */
export function AccountPage(props: AccountProps) {
  const { api, tag, words, caller, account, to } = props
  const { person, session } = account
  const organization = person.organizations.find(({ id }) => id === caller.tenant)
  return (
    <>
      <p>{words.signedInAs(person.name ?? session.row.subject)}</p>
      <p>{caller.reason ?? words.role(roleName(tag, caller.role), organization?.name)}</p>
      <p>
        <a class="button" href={to(account.back ?? api.iris.at('/'))}>
          {account.back ? words.back : words.start}
        </a>
      </p>
      {person.organizations.length > 0 && <Organizations {...props} />}
      <Sessions {...props} />
      <Form {...props} path="/session/end">
        <button name="which" value="this" type="submit">
          {words.signOut}
        </button>{' '}
        <button name="which" value="all" type="submit">
          {words.signOutEverywhere}
        </button>
      </Form>
    </>
  )
}

function Organizations(props: AccountProps) {
  const { words, caller, account } = props
  const { organizations } = account.person
  return (
    <section aria-labelledby="organization">
      <h2 id="organization">{words.organization}</h2>
      <Form {...props} path="/session/organization">
        <p>
          <select name="organization" aria-labelledby="organization">
            {organizations.map(({ id, name }) => (
              <option key={id} value={id} selected={id === caller.tenant}>
                {name}
              </option>
            ))}
          </select>{' '}
          <button type="submit">{words.choose}</button>
        </p>
      </Form>
      {account.session.claimed && <p class="hint">{words.onlyClaimed}</p>}
    </section>
  )
}

function Sessions(props: AccountProps) {
  const { words, tag, account } = props
  const { sessions, session } = account
  const format = new Intl.DateTimeFormat(localeOf(tag), { dateStyle: 'medium', timeStyle: 'long', timeZone: 'UTC' })
  const time = (date: Date) => <time dateTime={date.toISOString()}>{format.format(date)}</time>
  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">{words.sessions}</h2>
      <ScrollingTable
        label={words.sessions}
        heads={[words.browser, words.began, words.used, words.ends, words.signOut]}
      >
        {sessions.map(({ id, browser, createdAt, usedAt, expiresAt }) => (
          <tr key={id}>
            <th scope="row">{browserName(browser) ?? words.unknown}</th>
            <td>{time(createdAt)}</td>
            <td>{time(usedAt)}</td>
            <td>{time(expiresAt)}</td>
            <td>
              {id === session.row.id ? (
                words.thisOne
              ) : (
                <Form {...props} path="/session/end">
                  <button name="which" value={id} type="submit">
                    {words.end}
                  </button>
                </Form>
              )}
            </td>
          </tr>
        ))}
      </ScrollingTable>
    </section>
  )
}

function Form({ api, account, to, path, children }: AccountProps & { path: string; children: unknown }) {
  return (
    <form method="post" action={to(api.iris.at(path))}>
      <input type="hidden" name={api.formNames.token} value={account.formToken} />
      {children as never}
    </form>
  )
}
