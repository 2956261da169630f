import type { IRouter } from 'express'
import { Problem } from '../model/problem.ts'

const allow = { Allow: 'OPTIONS, HEAD, GET' }

/** Says of an address, after what reads it, that it can only be read. */
export function methodNotAllowed(router: IRouter, path: string): void {
  answerOptions(router, path)
  router.all(path, () => {
    throw new Problem(405, 'This document can only be read.', allow)
  })
}

/** Left to itself Express answers OPTIONS with 200 and a text. */
export function answerOptions(router: IRouter, path: string): void {
  router.options(path, (_, response) => {
    response.writeHead(204, allow).end()
  })
}
