import { openMailSystem } from './mail.ts'
import { ending } from './world.ts'

/** Takes the mails that the tests of a file have sent. */
export const mailSystem = await openMailSystem()
ending.unshift(mailSystem.close)
