import type { Test } from 'supertest'
import { Image, Organization } from '../../entities/index.ts'
import { type Agent, openWorld } from '../support/world.ts'

const { api, as, database } = await openWorld()

export const upload = (kind: 'icon' | 'logo', bytes: Buffer, name = 'image.png', agent: Agent = api): Test =>
  agent.post(`/organizations/${kind}`).attach('file', bytes, name)

export const shown = (path: string) => as().get(path).buffer(true).parse(wholeBody)

function wholeBody(response: unknown, done: (error: Error | null, body: unknown) => void) {
  const pieces: Buffer[] = []
  const stream = response as NodeJS.ReadableStream
  stream.on('data', (piece) => pieces.push(piece))
  stream.on('end', () => done(null, Buffer.concat(pieces)))
}

/** The images that the database holds, and those that organizations use. */
export async function kept(): Promise<{ held: string[]; used: string[] }> {
  const held = await database.manager.find(Image, { order: { id: 'ASC' } })
  const users = await database.manager.find(Organization)
  const used = new Set(users.flatMap(({ logoId, iconId }) => [logoId, iconId]).filter((id) => id !== null))
  return { held: held.map(({ id }) => id), used: [...used].sort() }
}

afterEach(async () => {
  const { held, used } = await kept()
  expect(held).toEqual(used)
})
