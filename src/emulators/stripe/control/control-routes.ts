import { JournalWriteError } from '../objects/journal.ts'
import type { Control } from './control.ts'
import { textPdf } from './invoice-pdf.ts'

interface ControlResponse {
  status: number
  type: string
  body: string | Buffer
}

type Body = Record<string, never>

/** The control of the server over HTTP, for people: JSON in and out, and the pages of invoices. */
export async function controlResponse(
  controls: Control,
  method: string,
  path: string,
  body: string,
): Promise<ControlResponse> {
  const [, , subject, id, part] = path.split('/')
  if (subject === 'invoices') return invoice(controls, id, part)
  try {
    const answer = await handle(
      controls,
      `${method} /${[subject, id].filter(Boolean).join('/')}`,
      JSON.parse(body || '{}'),
    )
    if (answer === undefined) return json(404, { error: `There is no ${method} ${path} here.` })
    return json(200, answer)
  } catch (error) {
    return json(error instanceof JournalWriteError ? 503 : 400, {
      error: error instanceof Error ? error.message : String(error),
    })
  }
}

async function handle(controls: Control, asked: string, body: Body): Promise<unknown> {
  switch (asked) {
    case 'GET /clock':
      return { now: controls.now() }
    case 'POST /clock':
      return { now: controls.advance(body.advance ?? {}) }
    case 'POST /faults':
      controls.fault(body as never)
      return {}
    case 'DELETE /faults':
      controls.clearFaults()
      return {}
    case 'POST /cards':
      controls.decline(body.payment_method, body.decline ?? null)
      return {}
    case 'POST /retries':
      controls.setStatusAfterRetries(body.then)
      return {}
    case 'POST /webhooks':
      return webhooks(controls, body)
    case 'POST /settled':
      await controls.settled()
      return {}
    case 'GET /requests':
      return { data: controls.requests }
    default:
      return undefined
  }
}

function webhooks({ deliveries }: Control, { hold, ...settings }: Body): object {
  for (const name of ['shuffle', 'duplicates', 'delay']) {
    if (name in settings) Object.assign(deliveries, { [name]: settings[name] })
  }
  if (hold === true) deliveries.hold()
  if (hold === false) deliveries.release()
  const { shuffle, duplicates, delay } = deliveries
  return { hold: deliveries.holding, shuffle, duplicates, delay }
}

function invoice({ account }: Control, id: string, part: string | undefined): ControlResponse {
  const found = account.store.find('invoice', id)
  if (!found) return json(404, { error: `There is no invoice ${id}.` })
  const amount = (cents: number) => `${(cents / 100).toFixed(2)} ${found.currency.toUpperCase()}`
  const lines = [
    `Invoice ${found.number ?? '(draft)'}: ${found.status}`,
    ...found.lines.data.map((line) => `${line.description}: ${amount(line.amount)}`),
    `Total: ${amount(found.total)}`,
    `Paid: ${amount(found.amount_paid)}`,
  ]
  if (part === 'pdf') return { status: 200, type: 'application/pdf', body: textPdf(lines) }
  return { status: 200, type: 'text/plain; charset=utf-8', body: `${lines.join('\n')}\n` }
}

function json(status: number, body: unknown): ControlResponse {
  return { status, type: 'application/json', body: `${JSON.stringify(body, null, 2)}\n` }
}
