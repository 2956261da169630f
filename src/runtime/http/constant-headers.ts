import { ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http'
import type { Express } from 'express'

/** A response with the method by which Node makes the text of a head, which has no public name. */
declare class HeadedResponse extends ServerResponse {
  _storeHeader(firstLine: string, headers: unknown): void
}

/**
 * Gives all responses of an app headers that never change. Node checks and copies each header that a response sets, which took a
 * tenth of a request. These are checked once, and written as one text. A response can append to them. It cannot remove them, and
 * replaces them by `setHeader` only.
 */
export function setConstantHeaders(app: Express, headers: Record<string, string>): void {
  const constants = Object.entries(headers).map(([name, value]) => {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return { key: name.toLowerCase(), line: `${name}: ${value}\r\n` }
  })
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const lines = constants.map(({ line }) => line).join('')

  class Response extends (ServerResponse as unknown as typeof HeadedResponse) {
    override getHeader(name: string): number | string | string[] | undefined {
      return super.getHeader(name) ?? values.get(name.toLowerCase())
    }

    override hasHeader(name: string): boolean {
      return super.hasHeader(name) || values.has(name.toLowerCase())
    }

    override appendHeader(name: string, value: string | string[]): this {
      const constant = super.hasHeader(name) ? undefined : values.get(name.toLowerCase())
      if (constant !== undefined) super.setHeader(name, constant)
      return super.appendHeader(name, value)
    }

    override _storeHeader(firstLine: string, own: unknown): void {
      const replaced = constants.filter(({ key }) => super.hasHeader(key))
      const rest = replaced.length === 0 ? lines : linesWithout(replaced)
      super._storeHeader(firstLine + rest, own)
    }
  }

  const linesWithout = (replaced: typeof constants) =>
    constants
      .filter((constant) => !replaced.includes(constant))
      .map(({ line }) => line)
      .join('')

  Object.setPrototypeOf(Response.prototype, app.response)
  app.response = Response.prototype as unknown as Express['response']
}
