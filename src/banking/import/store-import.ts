import type { EntityManager } from 'typeorm'
import { Integration } from '../../../entities/index.ts'
import { lockBankAccounts } from '../../postgres/locks.ts'
import { note, updateIntegration } from '../integration-row.ts'
import type { Command } from '../kontomatik/command-reply.ts'
import { countSharedImport, nextImportAt } from './import-quota.ts'
import { requestedSince } from './import-window.ts'
import { storeAccounts } from './store-accounts.ts'
import { storeTransactions } from './store-transactions.ts'

type Done = Extract<Command, { state: 'successful' }>

/** Stores the result of an import, with its counts and the state of the link, all in one transaction. */
export function storeImport(manager: EntityManager, link: Integration, { statement, ...command }: Done): Promise<void> {
  return manager.transaction(async (within) => {
    const { id, organizationId, commandId } = link
    const standing = await within.findOne(Integration, { where: { id }, lock: { mode: 'for_no_key_update' } })
    if (standing?.status !== 'importing' || standing.commandId !== commandId) return
    await lockBankAccounts(within, organizationId)
    link.target ??= command.target
    const wanted = requestedSince(link)
    const since = link.importedSince ?? wanted
    const accounts = await storeAccounts(within, link, statement, since)
    const { imported, duplicates } = await storeTransactions(within, link, accounts, since)
    await countSharedImport(within, link, accounts)
    const skipped = accounts.reduce((sum, account) => sum + account.skipped, 0)
    const partial = since > wanted || accounts.some(({ isPartial }) => isPartial)
    await updateIntegration(within, link, {
      ...{ imported, duplicates, skipped, partial },
      status: link.sealedAccess ? 'active' : 'expired',
      target: link.target,
      officialName: link.officialName ?? command.officialName,
      commandId: null,
      lastErrorCode: null,
      lastPulledAt: new Date(),
      nextPullAt: await nextImportAt(within, link),
    })
    await note(within, link, 'import', { imported: [null, imported], duplicates: [null, duplicates] })
  })
}
