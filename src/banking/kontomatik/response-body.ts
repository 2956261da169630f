import { BankProblem } from './bank-problem.ts'

/** A response with its complete body. */
export interface KontomatikResponse {
  status: number
  text: string
}

/** The limit after decompression. Some years of a busy company account take about a tenth of it. */
const maxBytes = 20_000_000

/** Reads a body in chunks and stops at the limit. Content-Length is not trusted. */
export async function bodyOf(response: Response): Promise<KontomatikResponse> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > maxBytes) throw new BankProblem({ name: 'TooLarge', kind: 'unknown', uncertain: true })
    text += decoder.decode(chunk, { stream: true })
  }
  return { status: response.status, text: text + decoder.decode() }
}
