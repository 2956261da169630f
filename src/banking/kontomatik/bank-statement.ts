import { amountOf, dayOf, ibanOf } from './amounts.ts'
import { readTransaction, type Transaction } from './transaction.ts'
import { type Element, indexable } from './xml-element.ts'

interface Ledger {
  /** The name that the owner gave it, else the bank's name. */
  name: string | null
  bankName: string | null
  currency: string | null
  balance: string | null
  /** The bank ran into a timeout, so transactions may be missing. */
  partial: boolean
  transactions: Transaction[]
  /** How many transactions could not be read and were left out. */
  dropped: number
}

export interface Account extends Ledger {
  iban: string | null
  availableBalance: string | null
}

export interface CreditCard extends Ledger {
  cardId: string | null
  /** The last four digits. */
  number: string | null
  limit: string | null
  dueDate: string | null
}

/** The result of an import. The owners of the accounts are left out: they are personal data that the server does not need. */
export interface Statement {
  accounts: Account[]
  cards: CreditCard[]
  /** Whether each list exists. An account that is missing from a list is closed; a missing list closes none. */
  lists: { accounts: boolean; cards: boolean }
}

export function readStatement(result: Element | undefined): Statement {
  const all = (list: string, name: string) => result?.children(list).flatMap((each) => each.children(name)) ?? []
  return {
    accounts: all('accounts', 'account').map((element) => {
      const account = readLedger(element)
      const availableBalance = amountOf(element.text('currencyFundsAvailable'), account.currency)
      return { iban: ibanOf(element.text('iban', 64)), availableBalance, ...account }
    }),
    cards: all('creditCards', 'creditCard').map((element) => {
      const card = readLedger(element)
      return {
        cardId: element.text('cardId', indexable),
        number: element.text('number')?.match(/\d{4}$/)?.[0] ?? null,
        limit: amountOf(element.text('limit'), card.currency),
        dueDate: dayOf(element.text('dueDate')),
        ...card,
      }
    }),
    lists: { accounts: result?.child('accounts') !== undefined, cards: result?.child('creditCards') !== undefined },
  }
}

function readLedger(element: Element): Ledger {
  const currency = element.text('currencyName', 16)?.toUpperCase() ?? null
  const bankName = element.text('name', indexable)
  const lines = element.children('moneyTransactions').flatMap((each) => each.children('moneyTransaction'))
  const transactions = lines.flatMap((line) => readTransaction(line, currency) ?? [])
  return {
    name: element.text('friendlyName', indexable) ?? bankName,
    bankName,
    currency,
    balance: amountOf(element.text('currencyBalance'), currency),
    partial: ['true', '1'].includes(element.attribute('partialDueToTimeout') ?? ''),
    transactions,
    dropped: lines.length - transactions.length,
  }
}
