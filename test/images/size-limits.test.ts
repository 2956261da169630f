import { expectProblem, raw } from '../support/requests/raw-responses.ts'
import { file, form, open, signed } from './form-requests.ts'
import { mebibyte, png, sized } from './sample-images.ts'
import { upload } from './upload-requests.ts'

describe('The size of an uploaded image', () => {
  test.each([
    ['icon', 1],
    ['logo', 2],
  ] as const)('the %s has at most %i MiB', async (kind, most) => {
    expect((await upload(kind, await sized(most * mebibyte))).status).toBe(201)
    const answer = await upload(kind, await sized(most * mebibyte + 1))
    expectProblem(answer as never, 413)
    expect(answer.body.detail).toContain(`${most} MiB`)
    expectProblem((await upload(kind, Buffer.alloc(20 * mebibyte))) as never, 413)
  })

  test('a body without a length is cut off at the limit', async () => {
    const headers = { ...(await signed()), 'Transfer-Encoding': 'chunked' }
    const answer = await raw('POST', '/organizations/logo', headers, form([file(Buffer.alloc(8 * mebibyte))]))
    expectProblem(answer, 413)
    const padded = Buffer.concat([Buffer.alloc(mebibyte * 3, 0x20), form([file(await png())])])
    expectProblem(await raw('POST', '/organizations/logo', headers, padded), 413)
  })

  test('a body that is refused half read leaves the connection usable', async () => {
    const socket = open(await signed(), 'Transfer-Encoding: chunked')
    const body = form([file(Buffer.alloc(8 * mebibyte))])
    for (const piece of [`${body.length.toString(16)}\r\n`, body, '\r\n0\r\n\r\n']) socket.write(piece)
    socket.write('GET /countries/NL HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    let text = ''
    for await (const piece of socket) text += piece
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200'])
  })

  test('an icon is square, a logo need not be', async () => {
    const wide = await png(20, 10)
    const answer = await upload('icon', wide)
    expectProblem(answer as never, 422)
    expect(answer.body.violations).toEqual([
      { propertyPath: 'file', message: expect.stringContaining('20 pixels wide and 10'), code: 'isSquare' },
    ])
    expect((await upload('logo', wide)).status).toBe(201)
  })
})
