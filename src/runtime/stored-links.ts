import type { DataSource } from 'typeorm'

/** Where links to a local Stripe or Kontomatik are kept, and how their paths begin. */
const kept = {
  stripe: ['pdf', 'hostedInvoiceUrl'].map((column) => ({ table: 'invoice', column, path: '/local/invoices/' })),
  kontomatik: [{ table: 'integration', column: 'redirectUrl', path: '/signin/' }],
}

/** Points kept links at where the local Stripe and Kontomatik listen now: their usual ports may have been taken. */
export async function updateStoredLinks(
  database: DataSource,
  origins: Record<keyof typeof kept, string | undefined>,
): Promise<void> {
  for (const name of ['stripe', 'kontomatik'] as const) {
    const origin = origins[name]
    if (!origin) continue
    for (const { table, column, path } of kept[name])
      await database.query(
        `UPDATE "${table}" SET "${column}" = $1 || substring("${column}" FROM '^http://127\\.0\\.0\\.1:\\d+(.*)$'),
             "version" = "version" + 1, "updatedAt" = now()
           WHERE "${column}" ~ $2 AND NOT starts_with("${column}", $1 || '/')`,
        [origin, `^http://127\\.0\\.0\\.1:\\d+${path}`],
      )
  }
}
