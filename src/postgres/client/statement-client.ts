import type { Client, PoolConfig } from 'pg'
import { type Admission, admitting, exempting } from './admission.ts'
import { type Callback, type Columns, type NamedConfig, NamedQuery } from './named-query.ts'
import { SettingClient } from './transaction-settings.ts'

/** A client that describes each named statement once. */
export class NamedStatementClient extends SettingClient {
  private readonly columns = new Map<string, Columns>()

  override query(config: never, values?: unknown, callback?: unknown): unknown {
    if (!isNamed(config) || Array.isArray(values)) return super.query(config, values, callback)
    const named: NamedConfig & Admission = config
    const settings = () => this.settingsFor(named)
    const query = new NamedQuery(named, named.types ?? (this as never), this.columns, settings)
    query.callback = (typeof values === 'function' ? values : callback) as Callback | undefined
    return this.send(query)
  }
}

function isNamed(config: unknown): config is NamedConfig {
  const { name, text, values, submit } = config as Partial<NamedConfig> & { submit?: unknown }
  return typeof submit !== 'function' && typeof text === 'string' && Array.isArray(values) && !!name
}

/** Settings of a pool whose address leads to Postgres itself. */
export const direct = {
  get Client() {
    return NamedStatementClient as unknown as new () => Client
  },
  onConnect: async (client: Pick<Client, 'query'>): Promise<void> => {
    await client.query({ ...admitting, values: [''] })
    await client.query({ ...exempting, values: ['none'] })
  },
} satisfies PoolConfig
