import type { Request } from 'express'
import Negotiator from 'negotiator'
import { v7 as uuid } from 'uuid'
import type { AnsweredAs, Caller } from '../model/caller.ts'
import { type FairShare, shareOf } from '../model/fair-share.ts'
import type { CallRequest } from '../model/operation.ts'
import { Problem } from '../model/problem.ts'
import type { Client } from '../model/store.ts'
import { pageParameters } from '../query/search.ts'
import { requireMatch, requireNoneMatch } from './headers/conditional-request.ts'
import { isStrict } from './headers/preferences.ts'

const noParameters = new URLSearchParams()

/** Limits the work of one request; it is higher than the number of all filters of any collection. */
const maxParameters = 500

/** Parameters with a meaning of their own when empty: `exists[…]` and cursors, which no form sends. */
const keptWhenEmpty = /^(exists\[|(after|before)$)/

/** The parts of an HTTP request that an operation may depend on. */
interface RequestParts {
  /** The id in the path, decoded. */
  id: string | undefined
  /** The suffix of the path, which names a format. */
  suffix?: string
  /** Its URL, its headers, the client's IP address and connection. */
  request: Pick<Request, 'url' | 'headers' | 'ip'> & Partial<Pick<Request, 'originalUrl'>> & Client
  caller: Caller
  /** The start of absolute links. */
  publicUrl: string
  /** Whether the format of the response is JSON-LD or JSON, whose documents can be written from rows. */
  isJson?: boolean
  /** Whether the format of the response is HTML, which has parameters of its own. */
  isHtml?: boolean
  /** The bytes of the body, or of the uploaded file. */
  bytes?: Buffer
  /** The result of the operation's file reader. */
  file?: object
}

/** The request as operations see it; each part is parsed on first use. */
export class ApiRequest implements CallRequest {
  readonly id
  readonly request
  readonly bytes
  readonly publicUrl
  readonly isJson
  readonly isHtml
  answeredAs: AnsweredAs | undefined
  private readonly suffix
  private readonly caller
  private readonly uploaded
  private claimed: string | undefined
  private parameters: URLSearchParams | undefined
  private languages: Map<string[], string> | undefined

  constructor({ id, suffix, request, caller, publicUrl, isJson, isHtml, bytes, file }: RequestParts) {
    this.id = id
    this.suffix = suffix
    this.request = request
    this.caller = caller
    this.publicUrl = publicUrl
    this.isJson = isJson
    this.isHtml = isHtml
    this.bytes = bytes
    this.uploaded = file
  }

  /** The requested path as the client sent it, without the suffix of a format. */
  get path(): string {
    return this.split()[0]
  }

  /** The path and the query as the client sent them, with the suffix of a format. */
  get target(): string {
    return this.request.originalUrl ?? this.request.url
  }

  /** Another path with the requested suffix, so that links stay in the same format. */
  withSuffix(path: string): string {
    return this.suffix === undefined ? path : `${path}.${this.suffix}`
  }

  /** The parameters without empty ones, since a form sends every field; Problem 400 when there are too many. */
  get query(): URLSearchParams {
    this.parameters ??= this.request.url.includes('?') ? parametersOf(this.split()[1]) : noParameters
    return this.parameters
  }

  /** The names of all parameters that concern the operation, including empty ones: those of pages concern pages alone. */
  get parameterNames(): Set<string> {
    const names = new Set(allOf(this.split()[1]).keys())
    if (this.isHtml) for (const name of pageParameters) names.delete(name)
    return names
  }

  /** Whether unknown parameters and properties are errors (RFC 7240 §4.4). */
  get strict(): boolean {
    return isStrict(this.request.headers)
  }

  /** Whether If-Match names the state that the client means to change. */
  get conditional(): boolean {
    return this.header('if-match') !== undefined
  }

  get claim(): string {
    this.claimed ??= uuid()
    return this.claimed
  }

  set claim(id: string) {
    this.claimed = id
  }

  get file(): object {
    if (!this.uploaded) throw new Error('The operation expects no file.')
    return this.uploaded
  }

  get share(): FairShare {
    return shareOf(this.caller, this.request.ip)
  }

  checkPreconditions({ version }: { version?: number }): void {
    requireMatch(this.header('if-match'), version)
    requireNoneMatch(this.header('if-none-match'), version)
  }

  header(name: string): string | undefined {
    return this.request.headers[name] as string | undefined
  }

  /** The offered language that Accept-Language prefers; the first one when it matches none. */
  language(offered: string[]): string {
    const header = this.header('accept-language')
    if (header === undefined) return offered[0]
    // Every row of a page needs it, so it is cached for the request.
    this.languages ??= new Map()
    const known = this.languages.get(offered)
    const chosen = known ?? new Negotiator({ headers: { 'accept-language': header } }).language(offered) ?? offered[0]
    if (!known) this.languages.set(offered, chosen)
    return chosen
  }

  /** The query string as the client sent it, with its question mark. */
  get search(): string {
    const [, query] = this.split()
    return query && `?${query}`
  }

  private split(): [path: string, query: string] {
    const { url } = this.request
    const mark = url.indexOf('?')
    return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)]
  }
}

function parametersOf(query: string): URLSearchParams {
  const all = allOf(query)
  if (all.size > maxParameters)
    throw new Problem(
      400,
      `The query has ${all.size} parameters; the limit is ${maxParameters}. Send fewer values, in several requests.`,
    )
  const given = [...all].filter(([name, value]) => value !== '' || keptWhenEmpty.test(name))
  return given.length < all.size ? new URLSearchParams(given) : all
}

function allOf(query: string): URLSearchParams {
  const parameters = new URLSearchParams(query)
  return /%255[BD]/i.test(query) ? withBrackets(parameters) : parameters
}

/** Some URI template libraries encode variable names twice: `order%5Bname%5D` arrives as `order%255Bname%255D`. */
function withBrackets(parameters: URLSearchParams): URLSearchParams {
  const decoded = new URLSearchParams()
  for (const [name, value] of parameters) decoded.append(name.replace(/%5B/i, '[').replace(/%5D/i, ']'), value)
  return decoded
}
