import { Organization } from '../../entities/index.ts'
import { eventually } from '../support/eventually.ts'
import { jobs } from '../support/jobs.ts'
import { hurry } from '../support/mail.ts'
import { office } from '../support/post-office.ts'
import { database, foundTenant } from '../support/world.ts'
import { idle, mailed, mailOf } from './letters.ts'

// A mail outlives the state in which it was ordered: an organization that is suspended or closed sends none.

test.each(['suspended', 'closed'] as const)(
  'an organization that is %s mails nothing until it is open again',
  async (status) => {
    const { organization } = await foundTenant(status, `mails-${status}`)
    await database.manager.update(Organization, { id: organization.id }, { status })
    const recipient = await mailed({ organizationId: organization.id })
    await idle()
    await hurry()
    await idle()
    expect(office.server.to(recipient)).toEqual([])
    expect(await mailOf(recipient)).toMatchObject({ status: 'pending', attempts: 0 })

    await database.manager.update(Organization, { id: organization.id }, { status: 'active' })
    await jobs.takeUp()
    await office.server.mailTo(recipient)
    await eventually(async () => expect(await mailOf(recipient)).toMatchObject({ status: 'sent' }))
  },
)
