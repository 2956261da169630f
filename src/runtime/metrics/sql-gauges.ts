import { Gauge, type Registry } from 'prom-client'
import type { DataSource } from 'typeorm'

/** A metric whose value a query reads each time that metrics are collected. */
export interface SqlGauge {
  name: string
  help: string
  /** Returns one row. Each of its columns is a status with a number; a column `value` alone is a metric without statuses. */
  sql: string
}

/** Registers metrics that are read from the database. */
export function registerSqlGauges(registry: Registry, database: DataSource, gauges: SqlGauge[]): void {
  for (const { name, help, sql } of gauges) {
    const hasStatuses = !sql.includes('AS "value"')
    new Gauge({
      name,
      help,
      labelNames: hasStatuses ? ['status'] : [],
      registers: [registry],
      async collect() {
        const [row]: Record<string, number>[] = await database.query(sql)
        for (const [status, count] of Object.entries(row)) this.set(hasStatuses ? { status } : {}, count)
      },
    })
  }
}

/** SQL of the seconds since the earliest of moments; 0 where there is none. */
export const secondsSince = (earliest: string): string =>
  `coalesce(extract(epoch FROM now() - ${earliest}), 0)::float AS "value"`

/** SQL of a column for each status: how many rows satisfy its condition. */
export const countsOf = (conditions: Record<string, string>): string =>
  Object.entries(conditions)
    .map(([status, condition]) => `count(*) FILTER (WHERE ${condition})::int AS "${status}"`)
    .join(', ')
