import { openPostOffice } from './mail.ts'
import { ending } from './world.ts'

/** Takes the mails that the tests of a file have sent. */
export const office = await openPostOffice()
ending.unshift(office.close)
