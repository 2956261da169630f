import { BankProblem } from './bank-problem.ts'

/** What came back, whole. */
export interface KontomatikResponse {
  status: number
  text: string
}

/** Bytes, unpacked; some years of a busy company's account are about a tenth of it. */
const most = 20_000_000

/** Reads a body as it comes and turns away at the limit, whatever length was announced. */
export async function bodyOf(response: Response): Promise<KontomatikResponse> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > most) throw new BankProblem({ name: 'TooLarge', kind: 'unknown', uncertain: true })
    text += decoder.decode(chunk, { stream: true })
  }
  return { status: response.status, text: text + decoder.decode() }
}
