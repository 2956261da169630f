import { expectProblem } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'
import { mebibyte, noise, png, svg } from './sample-images.ts'
import { kept, shown, upload } from './upload-requests.ts'

const { api, as, database, elsewhere } = await openWorld()

describe('An upload with an Idempotency-Key', () => {
  const keyed = (kind: 'icon' | 'logo', bytes: Buffer, key: string) => upload(kind, bytes).set('Idempotency-Key', key)

  test('is done once when it is repeated with another multipart boundary', async () => {
    const bytes = await png()
    const first = await keyed('logo', bytes, 'upload-1')
    await upload('logo', await png())
    const again = await keyed('logo', bytes, 'upload-1')
    expect([first.status, again.status, again.headers['idempotent-replayed']]).toEqual([201, 201, 'true'])
    expect(again.body).toEqual(first.body)
    expect((await api.get(first.body['@id'])).body.logo).not.toBe(first.body.logo)
  })

  test('is refused when the key was used for another file or another path', async () => {
    const bytes = await png()
    expect((await keyed('logo', bytes, 'upload-2')).status).toBe(201)
    for (const answer of [
      await keyed('logo', await png(), 'upload-2'),
      await keyed('logo', Buffer.concat([bytes, Buffer.from([0])]), 'upload-2'),
      await keyed('icon', bytes, 'upload-2'),
    ]) {
      expectProblem(answer as never, 422)
      expect(answer.body.violations[0].propertyPath).toBe('Idempotency-Key')
    }
  })

  test('may be repeated after it was refused', async () => {
    expect((await keyed('logo', svg, 'upload-3')).status).toBe(415)
    expect((await keyed('logo', await png(), 'upload-3')).status).toBe(201)
  })

  test('is done once when ten requests send it at the same time', async () => {
    const bytes = await png()
    const answers = await Promise.all(Array.from({ length: 10 }, () => keyed('logo', bytes, 'upload-4')))
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(201))
    expect(answers.filter(({ headers }) => !headers['idempotent-replayed'])).toHaveLength(1)
  })
})

describe('Concurrent uploads', () => {
  test('of two images by two organizations leave only the images in use', async () => {
    const images = [await png(), await png()]
    const agents = [api, as(elsewhere.users.owner)]
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          upload(n % 3 ? 'logo' : 'icon', images[(n + Math.floor(n / 2)) % 2], 'x.png', agents[n % 2]),
        ),
      )
      expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 201)).toEqual([])
      const { held, used } = await kept()
      expect(held).toEqual(used)
      for (const id of used) expect((await shown(`/images/${id}`)).status).toBe(200)
    }
    await database.query('SELECT pg_sleep(1.1)')
    const [{ deadlocks }] = await database.query(
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    )
    expect(Number(deadlocks)).toBe(0)
  })

  test('of ten large images are decoded a few at a time, and other requests are answered meanwhile', async () => {
    const large = await noise(800, 800).png().toBuffer()
    expect(large.length).toBeGreaterThan(1.8 * mebibyte)
    const before = process.memoryUsage().rss
    let most = before
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss)
    }, 10)
    const uploads = Promise.all(Array.from({ length: 10 }, () => upload('logo', large)))
    const small = await Promise.all(Array.from({ length: 10 }, () => api.get('/locations')))
    const answers = await uploads
    clearInterval(watch)
    expect(small.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201])
    expect(most - before).toBeLessThan(300 * mebibyte)
  })

  test('beyond the queue are refused with Retry-After', async () => {
    const large = await noise(700, 700).png().toBuffer()
    const answers = await Promise.all(Array.from({ length: 60 }, () => upload('icon', large.subarray(0, mebibyte))))
    const statuses = new Set(answers.map(({ status }) => status))
    expect([...statuses].filter((status) => status !== 422 && status !== 503)).toEqual([])
    for (const { status, headers } of answers) if (status === 503) expect(headers['retry-after']).toBe('5')
    expect((await upload('icon', await png())).status).toBe(201)
  })
})
