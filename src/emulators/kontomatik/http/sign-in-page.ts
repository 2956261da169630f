import type { BankWorld } from '../banks/bank-world.ts'
import { bankNamed, banksOf } from '../banks/catalogue.ts'
import type { Redirection } from '../banks/state.ts'
import { element, type Markup } from './markup.ts'
import type { KontomatikRequest, KontomatikResponse } from './response.ts'
import { signIn } from './sessions.ts'
import { isExpired } from './sign-in.ts'

/** The page on which a user signs in at a bank or declines; either choice redirects to `redirectUri`. */
export function signInPage({ path, method, body }: KontomatikRequest, world: BankWorld): KontomatikResponse {
  const redirection = world.state.redirections.find(({ id }) => path === `/signin/${id}`)
  if (!redirection) return page(404, 'There is no such sign-in.')
  if (redirection.outcome !== 'pending' || isExpired(redirection, world)) return page(410, 'This sign-in is over.')
  if (method !== 'POST') return page(200, 'Sign in at a bank that does not exist', redirection)

  const form = new URLSearchParams(body)
  const bank = bankNamed(form.get('target') ?? undefined)
  if (bank) {
    const login = form.get('login') || redirection.ownerExternalId
    redirection.session = signIn(world, bank.name, login, redirection.repeated).id
    redirection.outcome = 'done'
  } else if (form.has('decline')) redirection.outcome = 'declined'
  else return page(422, 'Choose a bank, or decline', redirection)
  return redirectBack(redirection)
}

function redirectBack({ id, redirectUri }: Redirection): KontomatikResponse {
  const location = new URL(redirectUri)
  location.searchParams.set('redirectionId', id)
  return { status: 303, headers: { location: location.href, 'cache-control': 'no-store' }, body: '' }
}

/** A browser follows the form's redirection only where the policy lets forms go. */
function page(status: number, title: string, redirection?: Redirection): KontomatikResponse {
  const to = redirection ? `'self' ${new URL(redirection.redirectUri).origin}` : `'none'`
  const content = [element('h1', {}, title), ...(redirection ? bankChoices(redirection) : [])]
  const { markup } = element(
    'html',
    { lang: 'en' },
    element('head', {}, element('meta', { charset: 'utf-8' }), element('title', {}, title)),
    element('body', {}, ...content),
  )
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; form-action ${to}; frame-ancestors 'none'; base-uri 'none'`,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  }
  return { status, headers, body: `<!doctype html>\n${markup}\n` }
}

function bankChoices({ redirectUri, country, repeated }: Redirection): Markup[] {
  const buttons = banksOf(country).map(({ name, officialName }) =>
    element('p', {}, element('button', { name: 'target', value: name }, officialName)),
  )
  const decline = element('p', {}, element('button', { name: 'decline', value: '1' }, 'Decline'))
  const asked = `${new URL(redirectUri).host} asks to read your accounts ${repeated ? 'for 180 days' : 'once'}.`
  return [element('p', {}, asked), element('form', { method: 'post' }, ...buttons, decline)]
}
