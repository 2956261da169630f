import type { Request, Response } from 'express'
import { Problem, readBytes } from '../../hydra/index.ts'

/** A form of the sign-in holds a token of 8 kB at most. */
const bounds = {
  limit: 32 * 1024,
  tooLarge: () => new Problem(413, 'The form is too large. The limit is 32 kB.'),
}

/** Reads the fields of a form (URL standard, §5.1). */
export async function readForm(request: Request, response: Response): Promise<URLSearchParams> {
  const type = 'application/x-www-form-urlencoded'
  if (request.headers['content-type']?.split(';')[0].trim().toLowerCase() !== type)
    throw new Problem(415, `The form must be sent as ${type}.`)
  return new URLSearchParams((await readBytes(request, response, bounds)).toString('utf8'))
}
