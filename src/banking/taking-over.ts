import type { EntityManager } from 'typeorm'
import { Integration } from '../../entities/index.ts'
import { storeAccounts } from './accounts.ts'
import type { Command } from './command.ts'
import { storeLines } from './lines.ts'
import { change, note } from './link.ts'
import { countAlso, nextPullOf } from './quota.ts'

type Done = Extract<Command, { state: 'successful' }>

/** What an import brought becomes what is stored, with its counts and the state of the link, all in one transaction or not at all. */
export function takeOver(manager: EntityManager, link: Integration, { statement, ...command }: Done): Promise<void> {
  return manager.transaction(async (within) => {
    const { id, commandId } = link
    const standing = await within.findOne(Integration, { where: { id }, lock: { mode: 'for_no_key_update' } })
    if (standing?.status !== 'importing' || standing.commandId !== commandId) return
    link.target ??= command.target
    const accounts = await storeAccounts(within, link, statement)
    const { imported, duplicates } = await storeLines(within, link, accounts)
    await countAlso(within, link)
    const counts = { imported, duplicates, partial: accounts.some(({ partial }) => partial) }
    await change(within, link, {
      ...counts,
      status: link.sealedAccess ? 'active' : 'expired',
      target: link.target,
      officialName: link.officialName ?? command.officialName,
      commandId: null,
      lastErrorCode: null,
      lastPulledAt: new Date(),
      nextPullAt: await nextPullOf(within, link),
    })
    await note(within, link, 'import', { imported: [null, imported], duplicates: [null, duplicates] })
  })
}
