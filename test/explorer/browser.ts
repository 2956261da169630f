import { type CheerioAPI, load } from 'cheerio'
import type { User } from '../../entities/index.ts'
import { type Answer, raw } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'

const { tenant, tokenOf } = await openWorld()

/** Opens a page as a browser does; without a user, as an anonymous caller. */
export async function open(
  path: string,
  user: User | null = tenant.users.owner,
  headers: Record<string, string> = {},
): Promise<Answer & { page: CheerioAPI }> {
  const answer = await raw('GET', path, {
    Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    ...(user && { Authorization: `Bearer ${await tokenOf(user)}` }),
    ...headers,
  })
  return { ...answer, page: load(answer.text) }
}

/** The text of the first element, without its line breaks. */
export const textOf = (page: CheerioAPI, selector: string): string =>
  page(selector).first().text().replace(/\s+/g, ' ').trim()
