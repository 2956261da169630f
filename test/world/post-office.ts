import { ending } from './index.ts'
import { openPostOffice } from './mail.ts'

/** Takes the mails that the tests of a file have sent. */
export const office = await openPostOffice()
ending.unshift(office.close)
