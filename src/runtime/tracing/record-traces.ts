import {
  type Context,
  context,
  DiagLogLevel,
  diag,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node'
import type { Request, RequestHandler } from 'express'
import type { Logger } from 'pino'
import type { TraceSettings } from '../../environment/traces.ts'
import { routeOf } from '../http/route-of.ts'
import { traceStatements } from './trace-statements.ts'

/** Traces of requests and their statements, in the format of OpenTelemetry. */
export interface Tracing {
  /** Records a span for each request, and lets later code find it. */
  trace: RequestHandler
  /** Sends the last spans. */
  stop(): Promise<void>
}

/** The time of an export; its spans are lost after that. So a collector that is down delays the end of the process no longer. */
const exportTimeoutMs = 1000

/** The time between two lines of the log about lost spans. */
const reportIntervalMs = 60_000

type Log = Pick<Logger, 'warn'>

/** Records spans and sends them to a collector (OTLP over HTTP). */
export function recordTraces({ endpoint, headers, ratio }: TraceSettings, log: Log): Tracing {
  logFailures(log)
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, headers, timeoutMillis: exportTimeoutMs })
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'organization-api', 'service.instance.id': `${process.pid}` }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new BatchSpanProcessor(exporter, { exportTimeoutMillis: exportTimeoutMs })],
  })
  provider.register()
  const tracer = provider.getTracer('organization-api')
  const restore = traceStatements(tracer)
  return {
    trace(request, response, next) {
      const parent = parentOf(request)
      const span = tracer.startSpan(request.method, { kind: SpanKind.SERVER }, parent)
      response.once('close', () => {
        const route = routeOf(response)
        span.updateName(`${request.method} ${route}`)
        // A URL has names, tokens and search words in its query and path, so only the template of the path is recorded.
        span.setAttributes({
          'http.request.method': request.method,
          'http.route': route,
          'http.response.status_code': response.statusCode,
          'request.id': String(response.getHeader('X-Request-Id') ?? ''),
        })
        if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
        span.end()
      })
      context.with(trace.setSpan(parent, span), next)
    },
    async stop() {
      restore()
      await provider.shutdown().catch((error) => diag.error(String(error)))
    },
  }
}

/** Logs failures of OpenTelemetry, at most one a minute: a collector that is down fails every export. */
function logFailures(log: Log): void {
  let quietUntil = Number.NEGATIVE_INFINITY
  const report = (...detail: unknown[]) => {
    if (performance.now() < quietUntil) return
    quietUntil = performance.now() + reportIntervalMs
    log.warn({ detail: detail.map(String).join(' ') }, 'OpenTelemetry reported a failure: traces may be missing')
  }
  const ignore = () => {}
  const logger = { error: report, warn: report, info: ignore, debug: ignore, verbose: ignore }
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
}

/**
 * The trace of the sender (W3C Trace Context), if that is a trusted proxy. Anyone else could otherwise choose the ids of traces, and
 * have each of its requests recorded.
 */
function parentOf(request: Request): Context {
  const isTrusted = request.app.get('trust proxy fn') as (address: string | undefined, hop: number) => boolean
  if (!isTrusted(request.socket.remoteAddress, 0)) return ROOT_CONTEXT
  return propagation.extract(ROOT_CONTEXT, request.headers)
}
