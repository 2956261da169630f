import { getSystemErrorMap } from 'node:util'

/** The operating system's text for a failed call, such as "permission denied"; for other errors their message. */
export function systemErrorText(error: NodeJS.ErrnoException): string {
  return (error.errno !== undefined && getSystemErrorMap().get(error.errno)?.[1]) || error.message
}
