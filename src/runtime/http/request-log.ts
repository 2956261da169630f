import type { Socket } from 'node:net'
import type { Request, Response } from 'express'
import { type DestinationStream, type Logger, symbols } from 'pino'
import type { AccessControl, Caller } from '../../hydra/index.ts'

/** Logs a request once it is answered, or once its client has disconnected. */
export type LogRequest = (request: Request, response: Response, seconds: number) => void

/** Authenticates requests, and logs them with their callers. `logRequest` is absent where LOG_LEVEL hides its lines. */
export interface RequestLog {
  authenticate: AccessControl['authenticate']
  logRequest?: LogRequest
}

/** Requests that monitors send every few seconds, and accepted webhooks: they are logged at the level debug. */
const isRoutine = (path: string, status: number) =>
  /^\/(health\/|metrics$)/.test(path) || (path.endsWith('/webhooks/stripe') && status === 200)

const loggedCaller = Symbol('the caller of a request')
const loggedBytes = Symbol('the bytes of a connection that lines have counted')

interface Logged {
  [loggedCaller]?: Caller
  [loggedBytes]?: number
}

/** Writes one line a request: the method, the path, the status and the caller, but no token and no query. */
export function requestLog(log: Logger, authenticate: AccessControl['authenticate']): RequestLog {
  if (!log.isLevelEnabled('info')) return { authenticate }
  const write = lineWriter(log)
  return {
    authenticate: (request: Request & Logged) =>
      authenticate(request).then((caller) => {
        request[loggedCaller] = caller
        return caller
      }),
    logRequest(request: Request & Logged, response, seconds) {
      const { method, originalUrl } = request
      const socket: Socket & Logged = request.socket
      const { bytesWritten } = socket
      const bytes = bytesWritten - (socket[loggedBytes] ?? 0)
      socket[loggedBytes] = bytesWritten
      const path = pathOf(originalUrl)
      const level = isRoutine(path, response.statusCode) ? 'debug' : 'info'
      if (!log.isLevelEnabled(level)) return
      const { tenant, bearer } = request[loggedCaller] ?? {}
      const line: Line = {
        request: response.getHeader('X-Request-Id') as string,
        method,
        path,
        status: response.headersSent ? response.statusCode : undefined,
        milliseconds: Math.round(seconds * 10_000) / 10,
        bytes,
        organization: tenant ?? undefined,
        subject: bearer?.subject,
      }
      if (!response.writableFinished) log[level]({ ...line, aborted: true }, 'client disconnected')
      else if (level === 'info') write(line)
      else log[level](line, 'answered')
    },
  }
}

/** The line of an answered request. */
interface Line {
  request: string
  method: string
  path: string
  status: number | undefined
  milliseconds: number
  bytes: number
  organization: string | undefined
  subject: string | undefined
}

/**
 * Writes the line of an answered request as pino does. pino looks up a serializer for each member, and takes three times as long.
 * @param log the members by symbols are its destination, and the members of each line as JSON
 */
function lineWriter(log: Logger): (line: Line) => void {
  const {
    [symbols.streamSym]: stream,
    [symbols.chindingsSym]: bindings,
    levels,
  } = log as unknown as { [name: symbol]: unknown; levels: Logger['levels'] }
  const destination = stream as DestinationStream & { lastLevel?: number }
  const level = levels.values.info
  const start = `{"level":${level},"time":`
  return ({ request, method, path, status, milliseconds, bytes, organization, subject }) => {
    const answer = `"status":${status},"milliseconds":${milliseconds},"bytes":${bytes}`
    const tenant = organization === undefined ? '' : `,"organization":"${organization}"`
    const sender = subject === undefined ? '' : `,"subject":${JSON.stringify(subject)}`
    destination.lastLevel = level
    destination.write(
      `${start}${Date.now()}${bindings},"request":"${request}","method":"${method}","path":${JSON.stringify(path)},${answer}${tenant}${sender},"msg":"answered"}\n`,
    )
  }
}

/** A path without its query, and without segments that are neither a word nor an id, such as a token or a mail address. */
function pathOf(url: string): string {
  const end = url.indexOf('?')
  const path = end < 0 ? url : url.slice(0, end)
  if (/^(?:[\w-]{0,36}[/.])*[\w-]{0,36}$/.test(path)) return path
  const segments = path.split('/')
  return segments.map((segment) => (/^[\w.-]*$/.test(segment) ? segment.replace(/[^.]{37,}/g, '…') : '…')).join('/')
}
