import { type Integration, OrganizationModule } from '../../entities/index.ts'
import { Kontomatik } from '../../src/banking/kontomatik/kontomatik-client.ts'
import { eventually } from '../support/eventually.ts'
import { startJobs } from '../support/jobs.ts'
import { deleteRows } from '../support/rows/counted-rows.ts'
import { type Agent, openWorld } from '../support/world.ts'

const { api, banking, database, kontomatik, organization } = await openWorld()

export const client = new Kontomatik({ url: kontomatik.url, apiKey: kontomatik.apiKey })

export const [setup, pull, revoke] = ['setup', 'pull', 'revoke'].map((name) => `/integrations/kontomatik/${name}`)
export const returnUri = 'https://app.example/bank/return'

export async function enableBanking(organizationId = organization.id, enabled = true): Promise<void> {
  const source = enabled ? 'operator' : null
  await database.manager.update(OrganizationModule, { organizationId, name: 'banking' }, { enabled, source })
}

/** The default timing of the tests. */
export const usualTiming = { ...banking.timing, requestMs: 8000 }

/** Runs jobs for the tests of a file. Each test starts with the default timing, and its integrations are deleted. */
export function setUpBanking(): void {
  beforeAll(async () => {
    await startJobs()
    await enableBanking()
  })
  beforeEach(() => {
    Object.assign(banking.timing, usualTiming)
  })
  afterEach(deleteAll)
}

interface Linked {
  agent?: Agent
  target?: string
  login?: string
  accessMode?: string
}

/** Links a bank through the emulator's sign-in page. */
export async function linkBank({ agent = api, target = 'KontoBankApi', login = 'anna', accessMode }: Linked = {}) {
  const { body } = await agent.post(setup, { redirectUri: returnUri, accessMode })
  await signIn(body.redirectUrl, { target, login })
  const { redirectionId } = body
  const answer = await agent.post(setup, { redirectionId })
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  return answer.body as { '@id': string; id: string } & Record<string, unknown>
}

/** Submits the emulator's sign-in page. */
export async function signIn(redirectUrl: string, form: Record<string, string>): Promise<string | null> {
  const body = new URLSearchParams(form)
  const response = await fetch(redirectUrl, { method: 'POST', body, redirect: 'manual' })
  return response.headers.get('location')
}

/** The row of an integration, with its secrets. */
export async function storedRow(id: string): Promise<Integration & Record<string, string | null>> {
  const [row] = await database.query('SELECT * FROM "integration" WHERE "id" = $1', [id])
  return row
}

export async function consentOf(id: string): Promise<string> {
  const link = await storedRow(id)
  return banking.vault.open('access', link.sealedAccess as string, link)
}

/** Waits until the row has the expected values. */
export function waitForRow(id: string, expected: Partial<Integration>): Promise<unknown> {
  return eventually(
    () => storedRow(id),
    (link) => expect(link).toMatchObject(expected),
    8,
  )
}

/** How many requests Kontomatik received for a path. */
export const requestCount = (path: string): number =>
  kontomatik.requests.filter((one) => one.path.includes(path)).length

/** The status of a response, and its error code. */
export const statusAndCode = ({
  status,
  body,
}: {
  status: number
  body: { code?: string; violations?: { code: string }[] }
}) => [status, body.code ?? body.violations?.[0].code]

/** Deletes all integrations, their data and their counts. */
export async function deleteAll(): Promise<void> {
  kontomatik.clearFaults()
  await deleteRows(database, 'bank_transaction', 'true')
  await database.query(`DELETE FROM "bank_account"`)
  await database.query(`DELETE FROM "integration"`)
  await database.query(`DELETE FROM "bank_import"`)
  await database.query(`UPDATE "bank_slot" SET "integrationId" = NULL, "until" = '-infinity'`)
}
