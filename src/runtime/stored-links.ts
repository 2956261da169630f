import type { DataSource } from 'typeorm'
import { writeRows } from '../hydra/index.ts'

/** The columns with links to the local Stripe and Kontomatik, and the beginning of their paths. */
const linkColumns = {
  stripe: ['pdf', 'hostedInvoiceUrl'].map((column) => ({ table: 'invoice', column, path: '/local/invoices/' })),
  kontomatik: [{ table: 'integration', column: 'redirectUrl', path: '/signin/' }],
}

/** Points stored links to the current ports of the local Stripe and Kontomatik, which can differ from the last start's. */
export async function updateStoredLinks(
  database: DataSource,
  origins: Record<keyof typeof linkColumns, string | undefined>,
): Promise<void> {
  for (const name of ['stripe', 'kontomatik'] as const) {
    const origin = origins[name]
    if (!origin) continue
    for (const { table, column, path } of linkColumns[name])
      await writeRows(
        database.manager,
        table,
        `UPDATE "${table}" SET "${column}" = :origin || substring("${column}" FROM '^http://127\\.0\\.0\\.1:\\d+(.*)$'),
             "version" = "version" + 1, "updatedAt" = now()
           WHERE "${column}" ~ :local AND NOT starts_with("${column}", :origin || '/')`,
        { origin, local: `^http://127\\.0\\.0\\.1:\\d+${path}` },
      )
  }
}
