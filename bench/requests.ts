import { Agent, request } from 'node:http'

/** One request, to be asked again and again. */
export interface Ask {
  port: number
  method: string
  path: string
  headers: Record<string, string>
  body?: string
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

/** Asks so many times over so many connections; every answer must have the status expected. */
export async function load(asks: Ask[], times: number, connections: number, status: number): Promise<void> {
  let left = times
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (left-- > 0) {
        const answer = await once(asks[left % asks.length])
        if (answer.status !== status) throw new Error(`Expected ${status}, got ${answer.status}: ${answer.body}`)
      }
    }),
  )
}

interface Answer {
  status: number
  body: string
  etag: string | undefined
}

export function once({ port, method, path, headers, body }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port, method, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, body: Buffer.concat(chunks).toString(), etag: headers.etag })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

export function release(): void {
  agent.destroy()
}
