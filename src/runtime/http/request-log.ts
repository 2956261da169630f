import type { Request, Response } from 'express'
import type { Logger } from 'pino'
import type { Authenticate } from '../../hydra/http/authenticate.ts'
import type { Caller } from '../../hydra/model/caller.ts'

/** Tells of a request once it is answered, or once its client has gone. */
export type LogRequest = (request: Request, response: Response, seconds: number) => void

/** Learns who asks, and tells of every request; nobody tells where the level says that nobody wants to hear. */
export interface RequestLog {
  authenticate: Authenticate
  logRequest?: LogRequest
}

/** What machines ask every few seconds, and what Stripe says and is heard. */
const routine = (path: string, status: number) =>
  /^\/(health\/|metrics$)/.test(path) || (path.endsWith('/webhooks/stripe') && status === 200)

/** One line a request: what was asked, what became of it, and who asked, but nothing that opens anything. */
export function requestLog(log: Logger, authenticate: Authenticate): RequestLog {
  if (!log.isLevelEnabled('info')) return { authenticate }
  const callers = new WeakMap<object, Caller>()
  const told = new WeakMap<object, number>()
  return {
    async authenticate(request) {
      const caller = await authenticate(request)
      callers.set(request, caller)
      return caller
    },
    logRequest(request, response, seconds) {
      const { method, originalUrl, socket } = request
      const before = told.get(socket) ?? 0
      told.set(socket, socket.bytesWritten)
      const path = pathOf(originalUrl)
      const level = routine(path, response.statusCode) ? 'debug' : 'info'
      if (!log.isLevelEnabled(level)) return
      const { organization, bearer } = callers.get(request) ?? {}
      const aborted = response.writableFinished ? undefined : true
      log[level](
        {
          request: response.getHeader('X-Request-Id'),
          method,
          path,
          status: response.headersSent ? response.statusCode : undefined,
          milliseconds: Math.round(seconds * 10_000) / 10,
          bytes: socket.bytesWritten - before,
          organization: organization ?? undefined,
          subject: bearer?.subject,
          aborted,
        },
        aborted ? 'the client left' : 'answered',
      )
    },
  }
}

/** A path without its query, and without what is no word and no id: a token, say, or a mail address that was put there. */
function pathOf(url: string): string {
  const end = url.indexOf('?')
  const segments = (end < 0 ? url : url.slice(0, end)).split('/')
  return segments.map((segment) => (/^[\w.-]*$/.test(segment) ? segment.replace(/[^.]{37,}/g, '…') : '…')).join('/')
}
