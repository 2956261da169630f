import { validateHeaderValue } from 'node:http'
import { quoteWithoutSecrets } from '../start/quote.ts'
import type { Variables } from './variables.ts'

/** Where traces are sent, in the variables of OpenTelemetry's specification. */
export interface TraceSettings {
  /** The URL of a collector, without the path `/v1/traces`. */
  endpoint: string
  headers: Record<string, string>
  /** The share of requests that are recorded, unless a trusted proxy has decided it. */
  ratio: number
}

/** Undefined where no traces are recorded. */
export function readTraces(variables: Variables): TraceSettings | undefined {
  const url = variables.text('OTEL_EXPORTER_OTLP_ENDPOINT')
  const headers = readHeaders(variables)
  const ratioText = variables.text('OTEL_TRACES_SAMPLER_ARG') ?? '1'
  const ratio = /^\d+$|^\d*\.\d+$/.test(ratioText) ? Number(ratioText) : Number.NaN
  if (!(ratio <= 1))
    variables.addError(`OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not ${quoteWithoutSecrets(ratioText)}.`)
  const endpoint = url && variables.url('OTEL_EXPORTER_OTLP_ENDPOINT', url, 'http://127.0.0.1:4318')
  return endpoint ? { endpoint, headers, ratio } : undefined
}

/** Pairs such as `api-key=secret`, separated by commas. Values are percent-encoded, as OpenTelemetry specifies. */
function readHeaders(variables: Variables): Record<string, string> {
  const text = variables.text('OTEL_EXPORTER_OTLP_HEADERS')
  const pairs = variables.list('OTEL_EXPORTER_OTLP_HEADERS', text).map((pair) => {
    const [name, ...value] = pair.split('=')
    return [name.trim(), decoded(name.trim(), value.join('=').trim())] as const
  })
  if (pairs.some(([name, value]) => !/^[\w-]+$/.test(name) || value === ''))
    variables.addError('OTEL_EXPORTER_OTLP_HEADERS must be pairs such as name=value, separated by commas.')
  else if (pairs.some(([, value]) => value === undefined))
    variables.addError('OTEL_EXPORTER_OTLP_HEADERS must have percent-encoded values, such as name=Basic%20abc.')
  return Object.fromEntries(pairs.map(([name, value]) => [name, value ?? '']))
}

/** Undefined where a percent sign starts no encoded character, or the result cannot be the value of a header. */
function decoded(name: string, encoded: string): string | undefined {
  try {
    const value = decodeURIComponent(encoded)
    validateHeaderValue(name, value)
    return value
  } catch {
    return undefined
  }
}
