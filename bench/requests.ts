import { Agent, request } from 'node:http'

/** A request that is sent repeatedly. */
export interface BenchRequest {
  port: number
  method: string
  path: string
  headers: Record<string, string>
  body?: string
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

/**
 * Sends requests in turn.
 * @throws Error when a response has another status
 */
export async function sendMany(
  requests: BenchRequest[],
  count: number,
  connections: number,
  status: number,
): Promise<void> {
  let left = count
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (left-- > 0) {
        const response = await send(requests[left % requests.length])
        if (response.status !== status) throw new Error(`Expected ${status}, got ${response.status}: ${response.body}`)
      }
    }),
  )
}

interface BenchResponse {
  status: number
  body: string
  etag: string | undefined
}

export function send({ port, method, path, headers, body }: BenchRequest): Promise<BenchResponse> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, host: '127.0.0.1', port, method, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, body: Buffer.concat(chunks).toString(), etag: headers.etag })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export function closeConnections(): void {
  agent.destroy()
}
