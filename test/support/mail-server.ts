import { openMailSystem } from './mail.ts'
import { openWorld } from './world.ts'

const { ending } = await openWorld()

/** Takes the mails that the tests of a file have sent. */
export const mailSystem = await openMailSystem()
ending.unshift(mailSystem.close)
