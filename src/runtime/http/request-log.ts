import type { Socket } from 'node:net'
import type { Request, Response } from 'express'
import type { Logger } from 'pino'
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
      const aborted = response.writableFinished ? undefined : true
      log[level](
        {
          request: response.getHeader('X-Request-Id'),
          method,
          path,
          status: response.headersSent ? response.statusCode : undefined,
          milliseconds: Math.round(seconds * 10_000) / 10,
          bytes,
          organization: tenant ?? undefined,
          subject: bearer?.subject,
          aborted,
        },
        aborted ? 'client disconnected' : 'answered',
      )
    },
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
