import { context, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { throughPooler } from '../../postgres/client/pooled-client.ts'
import { direct } from '../../postgres/client/statement-client.ts'

type Query = (...args: unknown[]) => unknown
type Callback = (error: Error | null, result: unknown) => void

/**
 * Records a span for each statement that a traced request sends, under the statement's name. Texts and values are left out, because
 * they may hold personal data. Jobs are not recorded, because no request waits for them.
 * @returns a function that ends it
 */
export function traceStatements(tracer: Tracer): () => void {
  const ends = [direct, throughPooler].map(({ Client }) => traceClient(tracer, Client.prototype as never))
  return () => {
    for (const end of ends) end()
  }
}

function traceClient(tracer: Tracer, prototype: { query: Query }): () => void {
  const { query } = prototype
  prototype.query = function (this: object, ...args) {
    const [statement] = args
    // A query that submits itself has no end that can be observed here.
    const submits = typeof (statement as { submit?: unknown })?.submit === 'function'
    // The timer of a stream keeps the context of the request that started it, and goes on after that request.
    if (submits || !trace.getSpan(context.active())?.isRecording()) return query.apply(this, args)
    const span = tracer.startSpan(nameOf(statement), {
      kind: SpanKind.CLIENT,
      attributes: { 'db.system.name': 'postgresql', 'db.query.summary': nameOf(statement) },
    })
    const end = (error?: Error | null): void => {
      const code = (error as { code?: string } | undefined)?.code
      if (error) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('db.response.status_code', code ?? '')
      span.end()
    }
    const callback = args.at(-1)
    if (typeof callback === 'function')
      args[args.length - 1] = (error: Error | null, result: unknown) => {
        end(error)
        ;(callback as Callback)(error, result)
      }
    const outcome = query.apply(this, args)
    if (outcome instanceof Promise) outcome.then(() => end(), end)
    return outcome
  }
  return () => {
    prototype.query = query
  }
}

/** The name of a prepared statement, or the first word of another. */
function nameOf(statement: unknown): string {
  const { name, text } = typeof statement === 'object' ? (statement as { name?: string; text?: string }) : {}
  const sql = text ?? (typeof statement === 'string' ? statement : '')
  return name || (/^\s*([a-z]+)/i.exec(sql)?.[1].toUpperCase() ?? 'STATEMENT')
}
