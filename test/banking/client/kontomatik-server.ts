import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BankProblem } from '../../../src/banking/kontomatik/bank-problem.ts'
import type { Statement } from '../../../src/banking/kontomatik/bank-statement.ts'
import type { Command } from '../../../src/banking/kontomatik/command-reply.ts'
import type { Kontomatik } from '../../../src/banking/kontomatik/kontomatik-client.ts'
import type { Session } from '../../../src/banking/kontomatik/sign-in-reply.ts'
import type { LocalKontomatik } from '../../../src/emulators/kontomatik/server.ts'

/** A server with the responses of the test. */
export async function serving(listener: RequestListener): Promise<{ url: string; stop(): void }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** The problem with which a promise rejects. */
export async function problemOf(promise: Promise<unknown>): Promise<BankProblem> {
  return promise.then(
    () => {
      throw new Error('It went well.')
    },
    (problem) => problem,
  )
}

export const mock = (login = 'anna', multipleAccess = true) => ({
  login,
  country: 'pl',
  ownerExternalId: `owner-${login}`,
  multipleAccess,
})

export async function ended(kontomatik: Kontomatik, { id }: Command): Promise<Command> {
  for (;;) {
    const command = await kontomatik.command(id)
    if (command.state !== 'running') return command
    await sleep(10)
  }
}

export async function imported(kontomatik: Kontomatik, session: Session, since = '2024-01-01'): Promise<Statement> {
  const command = await ended(kontomatik, await kontomatik.startImport(session, since))
  if (command.state !== 'successful') throw new Error('It failed.')
  return command.statement
}

/** Sends a request to the emulator without the client: an object as a form, a text as JSON. */
export async function raw(
  { url, apiKey }: LocalKontomatik,
  path: string,
  body?: Record<string, string> | string,
  headers: Record<string, string> = { 'x-api-key': apiKey },
): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(path.startsWith('http') ? path : url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...headers, ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}) },
    body: typeof body === 'object' ? new URLSearchParams(body) : body,
    redirect: 'manual',
  })
  return { status: response.status, text: await response.text(), headers: response.headers }
}
