import { element, type Markup } from '../http/markup.ts'
import { KontomatikError } from '../http/response.ts'
import { dayNumber } from './days.ts'

/** The texts of an element's children, exactly as they go over the wire. */
type Texts = Record<string, string>

/** An account or a card as a test dictates it. */
export interface DictatedLedger {
  texts: Texts
  lines?: Texts[]
  /** The bank ran into a timeout before it had listed every line. */
  partial?: boolean
}

/** A statement as a test dictates it. A list that is left out is missing from the result; an empty one is an empty element. */
export interface DictatedStatement {
  accounts?: DictatedLedger[]
  cards?: DictatedLedger[]
}

const ledger = 'name friendlyName currencyBalance currencyName'
const knownElements = {
  account: `${ledger} iban currencyFundsAvailable activeSinceAtLeast`.split(' '),
  creditCard: `${ledger} cardId number limit dueDate`.split(' '),
  moneyTransaction:
    'transactionOn bookedOn currencyAmount currencyName currencyBalance title party partyIban kind status variableSymbol constantSymbol'.split(
      ' ',
    ),
}

/** The result of an import that a test dictates: the lines since a day, counted since 1970, and those without a readable day. */
export function dictatedResult({ accounts, cards }: DictatedStatement, from: number): Markup {
  const list = (name: string, item: string, ledgers: DictatedLedger[] | undefined) =>
    ledgers && element(name, {}, ...ledgers.map((each) => ledgerOf(item, each, from)))
  return element('result', {}, list('accounts', 'account', accounts), list('creditCards', 'creditCard', cards))
}

/** Kontomatik sends no element but those that its contract names. */
export function assertKnownElements({ accounts = [], cards = [] }: DictatedStatement): void {
  for (const { texts, lines = [] } of accounts) assertNames(texts, knownElements.account, lines)
  for (const { texts, lines = [] } of cards) assertNames(texts, knownElements.creditCard, lines)
}

function assertNames(texts: Texts, names: string[], lines: Texts[]): void {
  const strange = [
    ...Object.keys(texts).filter((name) => !names.includes(name)),
    ...lines.flatMap((line) => Object.keys(line)).filter((name) => !knownElements.moneyTransaction.includes(name)),
  ]
  if (strange.length > 0)
    throw new KontomatikError('InvalidArgument', `Kontomatik sends no ${strange[0].slice(0, 60)}.`)
}

function ledgerOf(name: string, { texts, lines = [], partial }: DictatedLedger, from: number): Markup {
  const shown = lines.filter((line) => {
    const day = dayNumber((line.transactionOn ?? line.bookedOn ?? '').slice(0, 10))
    return day === undefined || day >= from
  })
  return element(
    name,
    { partialDueToTimeout: partial ? 'true' : undefined },
    ...children(texts),
    element('moneyTransactions', {}, ...shown.map((line) => element('moneyTransaction', {}, ...children(line)))),
  )
}

function children(texts: Texts): Markup[] {
  return Object.entries(texts).map(([name, text]) => element(name, {}, text))
}
