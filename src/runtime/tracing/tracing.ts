import type { Logger } from 'pino'
import type { Config } from '../../config.ts'
import type { Tracing } from './record-traces.ts'

export type { Tracing }

/**
 * Starts to record traces; undefined without OTEL_EXPORTER_OTLP_ENDPOINT. Only then are the packages of OpenTelemetry
 * loaded, so a server without traces pays nothing.
 */
export async function startTracing(
  { traces }: Pick<Config, 'traces'>,
  log: Pick<Logger, 'warn'>,
): Promise<Tracing | undefined> {
  if (!traces) return undefined
  const { recordTraces } = await import('./record-traces.ts')
  return recordTraces(traces, log)
}
