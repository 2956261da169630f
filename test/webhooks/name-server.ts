import { createSocket } from 'node:dgram'
import { getServers, setServers } from 'node:dns'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { openWorld } from '../support/world.ts'

const { ending } = await openWorld()

const [typeA, typeAAAA] = [1, 28]

/**
 * Lets this process ask a name server of the test, which knows the addresses of these names only (RFC 1035 §4).
 * @param names for a name that changes, a function of the number of the query for its IPv6 addresses
 */
export async function serveNames(names: Record<string, string[] | ((query: number) => string[])>): Promise<void> {
  const queries = new Map<string, number>()
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => {
    const end = query.indexOf(0, 12) + 5
    const labels: string[] = []
    for (let at = 12; query[at] > 0; at += query[at] + 1)
      labels.push(query.toString('latin1', at + 1, at + 1 + query[at]))
    const type = query.readUInt16BE(end - 4)
    const name = labels.join('.').toLowerCase()
    const count = (queries.get(name) ?? 0) + (type === typeAAAA ? 1 : 0)
    queries.set(name, count)
    const known = names[name] ?? []
    const found = (typeof known === 'function' ? known(count) : known).filter(
      (each) => type === (isIPv6(each) ? typeAAAA : typeA),
    )
    const answers = found.map((each) => {
      const data = isIPv6(each) ? bytesOf(each) : Buffer.from(each.split('.').map(Number))
      const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length])
      return Buffer.concat([head, data])
    })
    const header = Buffer.from([query[0], query[1], 0x81, 0x80, 0, 1, 0, answers.length, 0, 0, 0, 0])
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const usual = getServers()
  setServers([`127.0.0.1:${socket.address().port}`])
  ending.unshift(async () => {
    setServers(usual)
    socket.close()
  })
}

/** The 16 bytes of an IPv6 address without an IPv4 part. */
function bytesOf(address: string): Buffer {
  const [head, tail = ''] = address.split('::').map((part) => part.split(':').filter(Boolean))
  const groups = [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail]
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex')
}
