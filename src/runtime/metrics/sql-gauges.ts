import { Gauge, type Registry } from 'prom-client'
import type { DataSource } from 'typeorm'

/** A metric whose value a query reads each time that metrics are collected. */
export interface SqlGauge {
  name: string
  help: string
  /** Returns one row of numbers. The name of each column is a status; a column `value` has none. */
  sql: string
}

/** Registers metrics that are read from the database. */
export function registerSqlGauges(registry: Registry, database: DataSource, gauges: SqlGauge[]): void {
  for (const { name, help, sql } of gauges) {
    new Gauge({
      name,
      help,
      labelNames: ['status'],
      registers: [registry],
      async collect() {
        const [row]: Record<string, number>[] = await database.query(sql)
        for (const [column, count] of Object.entries(row)) this.set(column === 'value' ? {} : { status: column }, count)
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
