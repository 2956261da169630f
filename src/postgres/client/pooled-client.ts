import type { Client, PoolConfig } from 'pg'
import type { Setting } from './admission.ts'
import { direct } from './statement-client.ts'
import { SettingClient } from './transaction-settings.ts'

/*
 * Behind a pooler each transaction may run on another connection of Postgres, so a session has no settings of its own. A client
 * of this kind sends its time limits with each transaction instead.
 */

/** Sets limits until the transaction ends, and the costs by which pages are planned. It is prepared once for each connection. */
const limiting = {
  name: 'pooled:limits',
  text: `SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true), set_config('random_page_cost', '1.1', true)`,
}

/** Sets limits, and keeps lists to one process of Postgres each. */
const limitingLists = {
  name: 'pooled:list-limits',
  text: `${limiting.text}, set_config('max_parallel_workers_per_gather', '0', true)`,
}

/** Sets limits, and how Postgres plans the statement of a batch. */
const limitingBatches = {
  name: 'pooled:batch-limits',
  text: `${limiting.text}, set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true)`,
}

/** A client whose startup message has only parameters that poolers accept, and whose queries carry their limits. */
class LimitingClient extends SettingClient {
  /** The statement that precedes each other one. */
  protected readonly limiting: { name: string; text: string } = limiting

  override get prepared(): string[] {
    return [...super.prepared, this.limiting.name]
  }

  private get limits(): string[] {
    return [this.limit('statement_timeout'), this.limit('lock_timeout')]
  }

  override settingsOfStatement(admission: Setting[]): Setting[] {
    return [{ statement: this.limiting.name, values: this.limits }, ...admission]
  }

  override settingsOfTransaction(tenants: string | undefined): string {
    return (
      ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']
        .map((name) => `; SET LOCAL ${name} = ${this.limit(name)}`)
        .join('') + super.settingsOfTransaction(tenants)
    )
  }

  override getStartupConf(): Record<string, string> {
    const { statement_timeout, lock_timeout, idle_in_transaction_session_timeout, ...accepted } = super.getStartupConf()
    return { ...accepted, TimeZone: 'UTC' }
  }

  private limit(name: string): string {
    return `${Number(this.connectionParameters[name]) || 0}`
  }
}

class LimitingListClient extends LimitingClient {
  protected override readonly limiting = limitingLists
}

class LimitingBatchClient extends LimitingClient {
  protected override readonly limiting = limitingBatches
}

/** Settings of a pool whose address leads to a pooler in transaction mode, such as PgBouncer. */
export const throughPooler = pooled(() => LimitingClient, limiting)

/** The same for a pool of lists. */
export const listsThroughPooler = pooled(() => LimitingListClient, limitingLists)

/** The same for a pool of batches. */
export const batchesThroughPooler = pooled(() => LimitingBatchClient, limitingBatches)

function pooled(type: () => typeof LimitingClient, { name, text }: typeof limiting) {
  return {
    get Client() {
      return type() as unknown as new () => Client
    },
    onConnect: async (client: Pick<Client, 'query'>): Promise<void> => {
      await client.query({ name, text, values: ['0', '0'] })
      await direct.onConnect(client)
    },
  } satisfies PoolConfig
}
