import { connect } from 'node:net'
import { publicUrl } from './world/index.ts'
import { links } from './world/wire.ts'

test.each([
  ['what is not HTTP', 'HELO there\r\n\r\n', 400],
  ['a header that is larger than 16 kB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
])('%s is answered with a problem that names the documentation', async (_, bytes, status) => {
  const answer = await say(bytes)

  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(answer).toContain(`Link: ${links.documentation}\r\n`)
  expect(JSON.parse(answer.split('\r\n\r\n')[1])).toMatchObject({
    '@type': 'Error',
    '@id': `/errors/${status}`,
    status,
  })
})

function say(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(publicUrl)
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    let heard = ''
    socket.on('data', (data) => {
      heard += data
    })
    socket.on('end', () => resolve(heard))
    socket.on('error', reject)
  })
}
