import { getSystemErrorMap } from 'node:util'

/** Why a call of the operating system failed, in its words, such as "permission denied"; of other errors the message. */
export function systemErrorText(error: NodeJS.ErrnoException): string {
  return (error.errno !== undefined && getSystemErrorMap().get(error.errno)?.[1]) || error.message
}
