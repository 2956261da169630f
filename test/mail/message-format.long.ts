import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { simpleParser } from 'mailparser'
import { MailFooter, OrganizationConfig, OrganizationUserInvitation } from '../../entities/index.ts'
import { hashOf } from '../../src/secrets/secret-hash.ts'
import { eventually } from '../support/eventually.ts'
import { openMailSystem } from '../support/mail.ts'
import { openWorld } from '../support/world.ts'
import { path } from './mail-fixtures.ts'

const { as, database, foundTenant, publicUrl } = await openWorld()

/*
 * RFC 2045 §6.7: quoted-printable folds a line only where it is longer than 76 characters.
 * RFC 5322 §2.1.1: a line has at most 78 characters and never more than 998.
 * The same fault can occur in every line that people copy: the token, the command and its address, names, subjects and footers.
 * It can occur in the text and in the HTML, in ASCII and in other scripts.
 */
const names = [
  'Acme',
  'Van Dijk Installatietechniek en Onderhoud van Verwarmingen Noord-Holland',
  'Łódź Serwis & Synowie Zażółć Gęślą Jaźń',
  'Компания «Восток»',
  '株式会社オーガニゼーション',
  'Ωμέγα Τεχνική',
  'שירותי תחזוקה',
  'O\'Neil = <Sons> \\ "Quoted"',
  '🔧 Loodgieter 👷‍♀️',
  `${'=20 '.repeat(30)}x`,
]
const footers = [
  null,
  '<p>Met vriendelijke groet</p>',
  `<p>${'Zażółć gęślą jaźń '.repeat(60)}</p><p>${'x'.repeat(1500)}</p>`,
]

const folder = await mkdtemp(join(tmpdir(), 'copied-'))
const mails: { raw: string; email: string; name: string; footer: string | null }[] = []

beforeAll(async () => {
  const office = await openMailSystem(folder)
  const invited = new Map<string, { name: string; footer: string | null }>()
  for (const [index, name] of names.entries()) {
    const { organization, users } = await foundTenant(name, `copied-${index}`)
    const own = { organizationId: organization.id }
    for (const language of ['nl', 'en'])
      for (const [place, footer] of footers.entries()) {
        await database.manager.update(OrganizationConfig, { ...own, key: 'language' }, { value: language })
        await database.manager.update(MailFooter, own, { mailFooter: footer })
        await Promise.all(
          ['', 'a'.repeat(50), 'ada'].map((local) => {
            const email = `${local}${language}-${place}-${index}@example.com`
            invited.set(email, { name, footer })
            return as(users.owner).post(path, { email, name }).expect(201)
          }),
        )
      }
  }
  await eventually(async () => expect(await readdir(folder)).toHaveLength(invited.size))
  await office.close()
  for (const file of await readdir(folder)) {
    const raw = await readFile(join(folder, file), 'latin1')
    const email = (/^To: (.*)\r$/m.exec(raw) as RegExpExecArray)[1]
    mails.push({ raw, email, ...(invited.get(email) as { name: string; footer: string | null }) })
  }
})
afterAll(() => rm(folder, { recursive: true }))

test('the command of the workspace guide finds the token of every mail', async () => {
  const guide = await readFile('docs/guides/workspace.md', 'utf8')
  const [, pattern] = /grep '(\^\[A-Za-z0-9_-\][^']*)'/.exec(guide) as RegExpExecArray
  const { stdout } = await promisify(execFile)('bash', [
    '-c',
    `cat "$1"/*.eml | tr -d '\\r' | grep "$2"`,
    'bash',
    folder,
    pattern,
  ])
  const hashes = (
    await database.manager.find(OrganizationUserInvitation, { select: { id: true, tokenHash: true } })
  ).map(({ tokenHash }) => tokenHash.toString('hex'))
  const found = stdout
    .trim()
    .split('\n')
    .map((token) => hashOf(token).toString('hex'))
  expect(found).toHaveLength(mails.length)
  expect(found.sort()).toEqual(hashes.sort())
})

test('no line of a mail is longer than 78 octets, and each is ASCII', () => {
  const long = mails.flatMap(({ raw }) =>
    raw.split('\r\n').filter((line) => line.length > 78 || !/^[\x20-\x7e\t]*$/.test(line)),
  )
  expect(long).toEqual([])
})

test('the lines of the command that accepts the invitation are in the mail as they are pasted', () => {
  for (const { raw } of mails) {
    const lines = raw.split('\r\n')
    const token = lines.find((line) => /^[\w-]{43}$/.test(line))
    expect(lines).toContain(`curl -X POST ${publicUrl}${path}/accept \\`)
    expect(lines).toContain(`  -d '{"token":"${token}"}'`)
  }
})

test('a mail program shows names, token, command and footer as they are', async () => {
  for (const { raw, email, name, footer } of mails) {
    const mail = await simpleParser(Buffer.from(raw, 'latin1'))
    const [token] = /^[\w-]{43}$/m.exec(raw.replaceAll('\r', '')) as RegExpExecArray
    expect([`Uitnodiging voor ${name}`, `Invitation to ${name}`]).toContain(mail.subject)
    expect(mail.to).toMatchObject({ value: [{ address: email }] })
    expect(mail.text).toMatch(/^(Hallo|Hello) /)
    expect(mail.text?.split('\n')).toEqual(expect.arrayContaining([token, `  -d '{"token":"${token}"}'`]))
    expect(mail.text).toContain(` ${name}. `)
    expect(mail.html).toContain(`>${token}<`)
    expect(mail.html).toContain(
      ` ${name.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')}. `,
    )
    if (!footer) continue
    expect(mail.html).toContain(footer)
    expect(mail.text).toContain('\n-- \n')
    expect(mail.text?.replaceAll(/\s/g, '')).toContain(footer.replaceAll(/<[^>]*>|\s/g, ''))
  }
})
