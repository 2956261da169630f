import { Problem } from '../model/problem.ts'
import { checkDepth } from '../model/text.ts'

/** Reads a JSON object from the bytes of a body; throws Problem 400 saying why it is none. */
export function parseBody(bytes: Buffer | undefined): Record<string, unknown> | unknown[] {
  const text = decodeText(bytes)
  if (text.trim() === '') throw new Problem(400, 'The body is empty; a JSON object is expected.')
  checkDepth(text)
  const value = parse(text)
  if (typeof value !== 'object' || value === null) throw new Problem(400, 'The body must be a JSON object.')
  return value as Record<string, unknown> | unknown[]
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The text of a body; throws Problem 400 when it is none. */
export function decodeText(bytes: Buffer = Buffer.alloc(0)): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Problem(400, 'The body is not valid UTF-8.')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Problem(400, `The body is not valid JSON: ${(error as Error).message}`)
  }
}
