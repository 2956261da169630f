import type { Element } from './element.ts'
import { amountOf, dayOf, ibanOf } from './figures.ts'
import { readTransaction, type Transaction } from './transaction.ts'

interface Ledger {
  name: string | null
  currency: string | null
  balance: string | null
  /** The bank took too long: there may be more. */
  partial: boolean
  transactions: Transaction[]
  /** How many transactions made no sense and were left out. */
  dropped: number
}

export interface Account extends Ledger {
  iban: string | null
  availableBalance: string | null
}

export interface CreditCard extends Ledger {
  cardId: string | null
  /** The last four digits and no more. */
  number: string | null
  limit: string | null
  dueDate: string | null
}

/** What an import brought. The owners of the accounts are left out: they are personal data that nobody here needs. */
export interface Statement {
  accounts: Account[]
  cards: CreditCard[]
}

export function readStatement(result: Element | undefined): Statement {
  const all = (list: string, name: string) => result?.children(list).flatMap((each) => each.children(name)) ?? []
  return {
    accounts: all('accounts', 'account').map((element) => ({
      iban: ibanOf(element.text('iban')),
      availableBalance: amountOf(element.text('currencyFundsAvailable')),
      ...ledger(element),
    })),
    cards: all('creditCards', 'creditCard').map((element) => ({
      cardId: element.text('cardId'),
      number: element.text('number')?.match(/\d{4}$/)?.[0] ?? null,
      limit: amountOf(element.text('limit')),
      dueDate: dayOf(element.text('dueDate')),
      ...ledger(element),
    })),
  }
}

/** The name that its owner gave it goes before the bank's. */
function ledger(element: Element): Ledger {
  const currency = element.text('currencyName')?.toUpperCase() ?? null
  const lines = element.children('moneyTransactions').flatMap((each) => each.children('moneyTransaction'))
  const transactions = lines
    .map((line) => readTransaction(line, currency))
    .filter((transaction) => transaction !== undefined)
  return {
    name: element.text('friendlyName') ?? element.text('name'),
    currency,
    balance: amountOf(element.text('currencyBalance')),
    partial: element.attribute('partialDueToTimeout') === 'true',
    transactions,
    dropped: lines.length - transactions.length,
  }
}
