import type { IRouter } from 'express'
import { Problem } from '../model/problem.ts'

const allow = { Allow: 'OPTIONS, HEAD, GET' }

/** Answers every method but GET and HEAD of a read-only path; call it after the route that reads. */
export function methodNotAllowed(router: IRouter, path: string): void {
  answerOptions(router, path)
  router.all(path, () => {
    throw new Problem(405, 'This document can only be read.', allow)
  })
}

/** Answers OPTIONS with 204; Express would send 200 with a text. */
export function answerOptions(router: IRouter, path: string): void {
  router.options(path, (_, response) => {
    response.writeHead(204, allow).end()
  })
}
