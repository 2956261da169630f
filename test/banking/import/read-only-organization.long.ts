import { Organization } from '../../../entities/index.ts'
import { eventually } from '../../support/eventually.ts'
import { openWorld } from '../../support/world.ts'
import { linkBank, pull, revoke, setUpBanking, storedRow } from '../linked-bank.ts'

const { api, banking, database, organization } = await openWorld()

// The organization may be suspended or closed after the pull: then nothing is imported.

setUpBanking()

test.each(['suspended', 'closed'] as const)(
  'a running import is stopped when the organization is %s',
  async (status) => {
    const { id } = await linkBank()
    const before = await rows()
    Object.assign(banking.timing, { requestMs: 0, pollMs: 300 })
    expect((await api.post(pull, {})).status).toBe(202)
    await database.manager.update(Organization, { id: organization.id }, { status })
    try {
      await eventually(async () => expect(await storedRow(id)).toMatchObject({ status: 'active', commandId: null }))
      expect(await storedRow(id)).toMatchObject({ lastErrorCode: 'organization_frozen' })
      expect(await rows()).toEqual(before)
    } finally {
      await database.manager.update(Organization, { id: organization.id }, { status: 'active' })
      await new Promise((resolve) => setTimeout(resolve, 1050))
    }
    Object.assign(banking.timing, { requestMs: 8000, pollMs: 20 })
    expect((await api.post(pull, {})).status).toBe(201)
    expect((await api.post(revoke, {})).status).toBe(201)
  },
)

const rows = () => database.query('SELECT count(*) FROM "bank_transaction"')
