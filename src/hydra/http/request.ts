import type { Request } from 'express'
import Negotiator from 'negotiator'
import { Problem } from '../model/problem.ts'
import { isStrict } from './preferences.ts'

const noParameters = new URLSearchParams()

/** More than every filter of a collection together may be given. */
const mostParameters = 500

/** Parameters that say something without a value: a filter that asks by its name alone, and cursors, which no form has. */
const kept = /^(exists\[|(after|before)$)/

/** What of a request an operation may depend on. */
interface Asked {
  /** The id in the path, decoded. */
  id: string | undefined
  /** The suffix of the path that names a format. */
  suffix?: string
  /** Its target, its headers and its client's address. */
  request: Pick<Request, 'url' | 'headers' | 'ip'>
  /** Its body, or the bytes of the file in it. */
  bytes?: Buffer
  /** What the file was read as. */
  file?: object
}

/** What was asked, each part read when it is needed. */
export class ApiRequest {
  readonly id
  private readonly suffix
  readonly request
  readonly bytes
  /** What was made of the file that the operation expects. */
  readonly file
  private parameters: URLSearchParams | undefined
  private readonly languages = new Map<string[], string>()

  constructor({ id, suffix, request, bytes, file }: Asked) {
    this.id = id
    this.suffix = suffix
    this.request = request
    this.bytes = bytes
    this.file = file
  }

  /** The path that was asked for, as it was written, without a suffix that names a format. */
  get path(): string {
    return this.split()[0]
  }

  /** Another path in the format that was asked for by suffix, so that its links give the same again. */
  alike(path: string): string {
    return this.suffix === undefined ? path : `${path}.${this.suffix}`
  }

  /** Its parameters that have a value, as a form sends every field; Problem 400 when there are too many. */
  get query(): URLSearchParams {
    this.parameters ??= this.request.url.includes('?') ? parametersOf(this.split()[1]) : noParameters
    return this.parameters
  }

  /** The names of all its parameters, those without a value too. */
  get names(): Set<string> {
    return new Set(allOf(this.split()[1]).keys())
  }

  /** Whether what is not understood is to be refused (RFC 7240 §4.4). */
  get strict(): boolean {
    return isStrict(this.request.headers)
  }

  /** Whether the client has said which state it means to change. */
  get conditional(): boolean {
    return this.header('if-match') !== undefined
  }

  header(name: string): string | undefined {
    return this.request.headers[name] as string | undefined
  }

  /** The language that the client would rather read, of those there are; the first where it likes none. */
  language(offered: string[]): string {
    const header = this.header('accept-language')
    if (header === undefined) return offered[0]
    // A page asks for every row.
    const known = this.languages.get(offered)
    const chosen = known ?? new Negotiator({ headers: { 'accept-language': header } }).language(offered) ?? offered[0]
    if (!known) this.languages.set(offered, chosen)
    return chosen
  }

  /** The query as it was written, with its question mark. */
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
  if (all.size > mostParameters)
    throw new Problem(
      400,
      `The query has ${all.size} parameters; ${mostParameters} are the most. Send fewer values, in several requests.`,
    )
  const given = [...all].filter(([name, value]) => value !== '' || kept.test(name))
  return given.length < all.size ? new URLSearchParams(given) : all
}

function allOf(query: string): URLSearchParams {
  const parameters = new URLSearchParams(query)
  return /%255[BD]/i.test(query) ? withBrackets(parameters) : parameters
}

/** Some expanders of templates encode the name of a variable again: `order%5Bname%5D` arrives as `order%255Bname%255D`. */
function withBrackets(parameters: URLSearchParams): URLSearchParams {
  const decoded = new URLSearchParams()
  for (const [name, value] of parameters) decoded.append(name.replace(/%5B/i, '[').replace(/%5D/i, ']'), value)
  return decoded
}
