import { expectProblem, raw } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'
import { field, file, form, open, signed } from './form-requests.ts'
import { png } from './sample-images.ts'
import { upload } from './upload-requests.ts'

const { api } = await openWorld()

describe('The form', () => {
  const send = async (body: Buffer | string, headers: Record<string, string> = {}) =>
    raw('POST', '/organizations/logo', { ...(await signed()), ...headers }, body)

  test('has one file, in the field "file"', async () => {
    const image = await png()
    for (const [parts, said] of [
      [[], /not a whole|no file/],
      [[field('other', 'x')], /no file/],
      [[field('file', 'as text')], /no file/],
      [[file(image, 'image')], /no file/],
      [[file(image, 'File')], /no file/],
      [[file(image, 'file[]')], /no file/],
      [[file(Buffer.alloc(0))], /no file/],
      [[file(image), file(image)], /more than one/],
      [[file(image), file(image, 'other')], /more than one/],
      [[file(image), ...Array.from({ length: 11 }, (_, n) => field(`f${n}`, 'x'))], /too many parts/],
    ] as const) {
      const problem = expectProblem(await send(form([...parts])), 400)
      expect(problem.detail).toMatch(said)
    }
    expect((await send(form([field('a', 'x'.repeat(5000)), file(image), field('b', '')]))).status).toBe(201)
  })

  test('must be multipart without compression: another media type or encoding is 415', async () => {
    for (const type of [
      'image/png',
      'application/json',
      'multipart/mixed; boundary=x',
      'application/x-www-form-urlencoded',
    ])
      expectProblem(await send(await png(), { 'Content-Type': type }), 415)
    expectProblem(await send(form([file(await png())]), { 'Content-Encoding': 'gzip' }), 415)
    const { status, headers } = await api.post('/organizations/logo')
    expect([status, headers['accept-post']]).toEqual([415, 'multipart/form-data'])
  })

  test('must be complete', async () => {
    const image = await png()
    const whole = form([file(image)])
    for (const broken of [
      '',
      '\r\n',
      '--',
      '--x',
      '--x--',
      '--x\r\n\r\n',
      whole.subarray(0, 40),
      whole.subarray(0, 120),
      whole.subarray(0, -8),
      whole.subarray(10),
      Buffer.from('{"file":"x"}'),
      Buffer.from(whole.toString('latin1').replaceAll('--x', '--y'), 'latin1'),
      Buffer.from(whole.toString('latin1').replace('form-data', 'attachment'), 'latin1'),
      Buffer.from(whole.toString('latin1').replace('filename', `${'f'.repeat(20_000)}`), 'latin1'),
    ])
      expectProblem(await send(broken), 400)
    for (const type of ['multipart/form-data', 'multipart/form-data; boundary', 'multipart/form-data; charset=utf-8'])
      expectProblem(await send(whole, { 'Content-Type': type }), 400)
    expect((await send(Buffer.concat([Buffer.from('preamble\r\n'), whole, Buffer.from('epilogue')]))).status).toBe(201)
  })

  test('is answered quickly when any part of it is damaged', async () => {
    const whole = form([field('a', 'b'), file(await png())])
    const answers = []
    for (let tries = 0; tries < 150; tries++) {
      const damaged = Buffer.from(whole)
      for (let bytes = 0; bytes < 1 + (tries % 4); bytes++)
        damaged[Math.floor(Math.random() * damaged.length)] = [0x0d, 0x0a, 0x2d, 0x00, 0x3b, 0x22][tries % 6]
      const cut = tries % 3 ? damaged.length : Math.floor(Math.random() * damaged.length)
      answers.push((await send(damaged.subarray(0, cut))).status)
    }
    expect(answers.filter((status) => ![200, 201, 400, 415, 422].includes(status))).toEqual([])
  }, 30_000)

  test('leaves the server unchanged when it stops half way', async () => {
    for (let count = 0; count < 5; count++) {
      const socket = open(await signed(), 'Content-Length: 900000')
      socket.write(form([file(await png())]).subarray(0, 100))
      await new Promise((resolve) => setTimeout(resolve, 20))
      socket.destroy()
    }
    expect((await upload('logo', await png())).status).toBe(201)
  })
})
