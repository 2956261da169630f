import type { Response } from 'express'
import { elementsOf } from './header-list.ts'

/** The content codings of responses (RFC 9110 §8.4.1), in our order of preference. */
const codings = ['br', 'gzip'] as const

export type Coding = (typeof codings)[number]

/** Less than any quality that a client can give: three decimals are the most. */
const lastResort = 0.0001

/** Fewer bytes fit into one packet anyway. */
const minBytes = 1024

/** Texts. Images are compressed already. */
const compressible = /^text\/|json\b|\/n-quads\b/

/**
 * The coding of a response by Accept-Encoding (RFC 9110 §12.5.3); undefined where it is sent as it is. Where a client accepts no
 * coding at all, the header is ignored, because a 406 after a change would hide that the change is made.
 */
export function codingOf(response: Response, type: string, body: string | Buffer): Coding | undefined {
  const { headers } = response.req
  if (headers['accept-encoding'] === undefined || !compressible.test(type)) return undefined
  if (isLeftAlone(headers['cache-control'], `${response.getHeader('Cache-Control')}`)) return undefined
  const qualities = qualitiesOf(headers['accept-encoding'] as string)
  const plain = qualities('identity')
  if (plain > 0 && Buffer.byteLength(body) < minBytes) return undefined
  const best = Math.max(...codings.map(qualities))
  return best > 0 && best >= plain ? codings.find((coding) => qualities(coding) === best) : undefined
}

/** The quality of each coding. One that the header does not name is not accepted, except `identity`, as the last resort. */
function qualitiesOf(header: string): (coding: string) => number {
  const elements = elementsOf(header.toLowerCase())
  const named = (coding: string) => elements.find(({ item }) => item === coding)
  return (coding) => {
    const element = named(coding) ?? named('*')
    if (!element) return coding === 'identity' ? lastResort : 0
    return Number(element.parameters.get('q') ?? 1) || 0
  }
}

/**
 * A response that no cache may store can hold a secret beside text that a client chose. Its length would tell how much of the
 * secret that text repeats (the attack BREACH). Either side can also forbid transformations.
 */
function isLeftAlone(ofRequest: string | undefined, ofResponse: string): boolean {
  return ofResponse.includes('no-store') || ofResponse.includes('no-transform') || !!ofRequest?.includes('no-transform')
}
