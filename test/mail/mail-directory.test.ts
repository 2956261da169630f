import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import { eventually } from '../support/eventually.ts'
import { type MailSystem, openMailSystem, tokenIn } from '../support/mail.ts'
import { openWorld } from '../support/world.ts'
import { address, path, storedMail } from './mail-fixtures.ts'

const { api, as, person } = await openWorld()

describe('Without a mail server', () => {
  let folder: string
  let office: MailSystem
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mails-'))
    office = await openMailSystem(join(folder, 'mail'))
  })
  afterAll(async () => {
    await office.close()
    await rm(folder, { recursive: true })
  })

  test('mails become files that only this account can read, and the log names their folder', async () => {
    const email = address()
    await api.post(path, { email }).expect(201)
    await eventually(async () => expect((await storedMail(email)).status).toBe('sent'))
    const { id } = await storedMail(email)
    const file = join(folder, 'mail', `${id}.eml`)
    expect(await readdir(join(folder, 'mail'))).toEqual([`${id}.eml`])
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const mail = await simpleParser(await readFile(file))
    expect(mail).toMatchObject({ subject: 'Uitnodiging voor Acme', messageId: `<${id}@localhost>` })
    const token = tokenIn(mail.text as string)
    const log = office.log.join('')
    expect(log).toContain(file)
    expect(log).not.toContain(token)
    expect((await as(await person('reader')).post(`${path}/accept`, { token })).status).toBe(201)
  })
})
