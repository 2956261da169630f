import type { EntityManager } from 'typeorm'
import { Integration } from '../../../entities/index.ts'
import { lockBankAccounts } from '../../postgres/locks.ts'
import { recordIntegration, updateIntegration } from '../integration-row.ts'
import type { SuccessfulCommand } from '../kontomatik/command-reply.ts'
import { countSharedImport, nextImportAt } from './import-quota.ts'
import { requestedSince } from './import-window.ts'
import { storeAccounts } from './store-accounts.ts'
import { storeTransactions } from './store-transactions.ts'

/**
 * Stores accounts and transactions of an import, its counts and the next state of the row, in one transaction. Nothing is stored
 * where the import was revoked or stored meanwhile.
 * @param set the columns of the next state
 */
export function storeImport(
  manager: EntityManager,
  integration: Integration,
  { statement, ...command }: SuccessfulCommand,
  set: Partial<Integration>,
): Promise<void> {
  return manager.transaction(async (within) => {
    const { id, organizationId, commandId } = integration
    const current = await within.findOne(Integration, {
      where: { organizationId, id },
      lock: { mode: 'for_no_key_update' },
    })
    if (current?.status !== 'importing' || current.commandId !== commandId) return
    await lockBankAccounts(within, organizationId)
    integration.target ??= command.target
    const wanted = requestedSince(integration)
    const since = integration.importedSince ?? wanted
    const accounts = await storeAccounts(within, integration, statement, since)
    const { imported, duplicates } = await storeTransactions(within, integration, accounts, since)
    await countSharedImport(within, integration, accounts)
    const skipped = accounts.reduce((sum, account) => sum + account.skipped, 0)
    const partial = since > wanted || accounts.some(({ isPartial }) => isPartial)
    await updateIntegration(within, integration, {
      ...set,
      ...{ imported, duplicates, skipped, partial },
      target: integration.target,
      officialName: integration.officialName ?? command.officialName,
      lastPulledAt: new Date(),
      nextPullAt: await nextImportAt(within, integration),
    })
    await recordIntegration({ manager: within }, integration, 'import', {
      imported: [null, imported],
      duplicates: [null, duplicates],
    })
  })
}
