import { Organization } from '../../entities/index.ts'
import { eventually } from '../support/eventually.ts'
import { jobs } from '../support/jobs.ts'
import { makeMailsDue } from '../support/mail.ts'
import { mailSystem } from '../support/mail-server.ts'
import { openWorld } from '../support/world.ts'
import { enqueueMailTo, queueIdle, storedMail } from './mail-fixtures.ts'

const { database, foundTenant } = await openWorld()

// A mail outlives the state in which it was ordered: an organization that is suspended or closed sends none.

test.each(['suspended', 'closed'] as const)(
  'an organization that is %s mails nothing until it is open again',
  async (status) => {
    const { organization } = await foundTenant(status, `mails-${status}`)
    await database.manager.update(Organization, { id: organization.id }, { status })
    const recipient = await enqueueMailTo({ organizationId: organization.id })
    await queueIdle()
    await makeMailsDue()
    await queueIdle()
    expect(mailSystem.server.to(recipient)).toEqual([])
    expect(await storedMail(recipient)).toMatchObject({ status: 'pending', attempts: 0 })

    await database.manager.update(Organization, { id: organization.id }, { status: 'active' })
    await jobs.takeUp()
    await mailSystem.server.mailTo(recipient)
    await eventually(async () => expect(await storedMail(recipient)).toMatchObject({ status: 'sent' }))
  },
)
