import { setTimeout as sleep } from 'node:timers/promises'
import type { User } from '../../entities/index.ts'
import { mailSystem } from '../support/mail-server.ts'
import { type Agent, openWorld } from '../support/world.ts'

const { api } = await openWorld()

export const path = '/organization-user-invitations'
export const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000)
let count = 0

/** A person whom the token issuer knows and this server does not. */
export const newcomer = (name = `newcomer-${++count}`) => Object.assign({ subject: name } as User, { id: undefined })
export const address = () => `invited-${++count}@example.com`

/** Invites a person, and returns the token in the mail. */
export async function invited(values: object = {}, by: Agent = api) {
  const email = address()
  const { body } = await by.post(path, { email, ...values }).expect(201)
  return { email, id: body.id as string, iri: body['@id'] as string, token: await mailSystem.server.tokenTo(email) }
}

/** How often each status was answered. */
export function tally(answers: { status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Accepts an invitation, as often as a busy server asks for it. */
export async function accepted(by: Agent, token: string): Promise<{ status: number }> {
  for (;;) {
    const { status, headers } = await by.post(`${path}/accept`, { token })
    if (status !== 503) return { status }
    await sleep(Number(headers['retry-after']) * 1000)
  }
}
