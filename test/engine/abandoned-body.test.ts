import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { readBytes } from '../../src/hydra/input/read-bytes.ts'
import { Problem } from '../../src/hydra/model/problem.ts'

const bounds = { limit: 100, tooLarge: () => new Problem(413, 'The body is too large.') }

test.each(['identity', 'gzip', 'deflate', 'br'])(
  'a body in the coding %s whose client has left before it is read ends with an error',
  async (coding) => {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    client.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: ${coding}\r\nContent-Length: 9\r\n\r\n`)
    const [request, response] = await once(server, 'request')
    client.destroy()
    await new Promise((resolve) => request.once('close', resolve))
    await expect(readBytes(request, response, bounds)).rejects.toMatchObject({ status: 400 })
    server.close()
  },
)
