import type { DictatedLedger, DictatedStatement } from '../../../src/emulators/kontomatik/banks/dictated-statement.ts'
import { type Agent, openWorld } from '../../support/world.ts'
import { linkBank, pull } from '../linked-bank.ts'

const { api, kontomatik } = await openWorld()

let customers = 0

interface Dictated {
  agent?: Agent
  target?: string
  login?: string
}

/** A customer whose bank returns the statements of the test. Banks allow four imports a day. */
export async function dictated(
  told: DictatedStatement,
  { agent = api, target, login = `dictated-${++customers}` }: Dictated = {},
) {
  await kontomatik.dictateStatement(login, told, target)
  const link = await linkBank({ agent, target, login })
  const pulled = async (body: object = {}) => {
    const answer = await agent.post(pull, { integration: link['@id'], ...body })
    if (answer.status !== 201) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  return {
    link,
    login,
    pulled,
    /** Sets the statement of the bank, and imports it. */
    async tells(next: DictatedStatement, body: object = {}) {
      await kontomatik.dictateStatement(login, next, target)
      return pulled(body)
    },
  }
}

/** The day that many days before today. */
export const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)

type Line = Record<string, string>

/** A line that was booked three days ago, with the given values instead. An undefined value omits the element. */
export function line(values: Record<string, string | undefined> = {}): Line {
  const usual = { transactionOn: ago(3), bookedOn: ago(3), currencyAmount: '-12.50', title: 'Coffee', status: 'DONE' }
  const given = Object.entries({ ...usual, ...values })
  return Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

export const number = 'PL61109010140000071219812874'

export function account(
  lines: Line[],
  texts: Line = { name: 'Current', iban: number, currencyName: 'PLN' },
): DictatedLedger {
  return { texts, lines }
}

/** The items of a collection, read by the owner. */
export async function items(path: string, agent = api): Promise<Record<string, unknown>[]> {
  const { body } = await agent.get(`${path}${path.includes('?') ? '&' : '?'}itemsPerPage=100`)
  return body.member
}

export const transactions = (query = '', agent = api) =>
  items(`/bank-transactions?order[transactionOn]=asc${query}`, agent)
export const accounts = (agent = api) => items('/bank-accounts', agent)
