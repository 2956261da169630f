import type { OfferedOperation } from '../engine.ts'

/** The same request for programs. */
export function curlOf(origin: string, { operation: { method, expects }, href }: OfferedOperation): string {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/ld+json'
  const body = expects === 'file' ? ' -F file=@...' : expects ? ` -H "Content-Type: ${type}" -d '{...}'` : ''
  return `curl -X ${method} -H "Authorization: Bearer $TOKEN"${body} '${origin}${href}'`
}
