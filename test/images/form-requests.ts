import { connect, type Socket } from 'node:net'
import { openWorld } from '../support/world.ts'

const { publicUrl, tenant, tokenOf } = await openWorld()

export async function signed(): Promise<Record<string, string>> {
  return {
    Authorization: `Bearer ${await tokenOf(tenant.users.owner)}`,
    'Content-Type': 'multipart/form-data; boundary=x',
  }
}

/** A connection on which an upload has been begun. */
export function open(headers: Record<string, string>, ...more: string[]): Socket {
  const { hostname, port } = new URL(publicUrl)
  const lines = [...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), ...more]
  const socket = connect(Number(port), hostname)
  socket.write(`POST /organizations/logo HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\n\r\n`)
  return socket
}

export function file(bytes: Buffer, name = 'file'): Buffer {
  const head = `Content-Disposition: form-data; name="${name}"; filename="a.png"\r\nContent-Type: image/png`
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes])
}

export function field(name: string, value: string): Buffer {
  return Buffer.from(`Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`)
}

export function form(parts: Buffer[]): Buffer {
  return Buffer.concat([
    ...parts.flatMap((part) => [Buffer.from('--x\r\n'), part, Buffer.from('\r\n')]),
    Buffer.from('--x--\r\n'),
  ])
}
