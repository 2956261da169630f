import { element, type Markup } from '../http/markup.ts'
import { type Booking, cardBookings, currentBookings, digits, openingDay, savingsBookings } from './bookings.ts'
import { type Bank, bankNamed, banks } from './catalogue.ts'
import { dateOf } from './days.ts'
import { dictatedResult } from './dictated-statement.ts'
import type { Import } from './state.ts'

/** The result of an import; it follows from the import alone, so that it is the same however often it is asked for. */
export function importResult(command: Import): Markup {
  if (command.dictated) return dictatedResult(command.dictated, command.from)
  const bank = bankNamed(command.target) ?? banks[0]
  const owner = `${command.target}|${command.login}`
  return element(
    'result',
    {},
    element('owners', {}, element('owner', {}, field('name', 'Anna Łącka'), field('polishPesel', '44051401359'))),
    element('accounts', {}, current(command, bank, owner), savings(command, bank, owner)),
    element('creditCards', {}, card(command, bank, owner)),
  )
}

/** Polish banks leave the country out of an account's number, which is then digits alone. */
function current(command: Import, bank: Bank, owner: string): Markup {
  const number = iban(bank, `${owner}|current`)
  const balance = 500_000 + sum(currentBookings({ ...command, from: openingDay }))
  return element(
    'account',
    {},
    field('name', 'Rachunek bieżący'),
    field('friendlyName', 'Firma'),
    field('iban', bank.country === 'pl' ? number.slice(2) : number),
    ...balances(balance, bank.currency),
    field('activeSinceAtLeast', dateOf(openingDay)),
    transactions(currentBookings(command)),
  )
}

function savings(command: Import, bank: Bank, owner: string): Markup {
  const balance = 1_000_000 + sum(savingsBookings({ ...command, from: openingDay }))
  return element(
    'account',
    {},
    field('name', 'Oszczędności'),
    field('iban', iban(bank, `${owner}|savings`)),
    ...balances(balance, 'EUR'),
    transactions(savingsBookings(command)),
  )
}

function card(command: Import, { currency }: Bank, owner: string): Markup {
  return element(
    'creditCard',
    {},
    field('cardId', `card-${digits(`${owner}|card`, 8)}`),
    field('number', `5100********${digits(`${owner}|card`, 4)}`),
    field('limit', '2000.00'),
    field('currencyBalance', money(sum(cardBookings({ ...command, from: command.on - 30 })))),
    field('currencyName', currency),
    field('dueDate', dateOf(command.on + 14)),
    transactions(cardBookings(command)),
  )
}

function balances(balance: number, currency: string): Markup[] {
  return [
    field('currencyBalance', money(balance)),
    field('currencyFundsAvailable', money(balance)),
    field('currencyName', currency),
  ]
}

function transactions(bookings: Booking[]): Markup {
  return element('moneyTransactions', {}, ...bookings.toReversed().map(transaction))
}

function transaction({ on, amount, title, party, partyIban, kind, symbol, pending }: Booking): Markup {
  return element(
    'moneyTransaction',
    {},
    field('transactionOn', dateOf(on)),
    pending ? undefined : field('bookedOn', dateOf(on)),
    field('currencyAmount', money(amount)),
    field('title', title),
    field('party', party),
    partyIban ? field('partyIban', partyIban) : undefined,
    field('kind', kind),
    field('status', pending ? 'PENDING' : 'DONE'),
    symbol ? field('variableSymbol', symbol) : undefined,
  )
}

function field(name: string, text: string): Markup {
  return element(name, {}, text)
}

function sum(bookings: Booking[]): number {
  return bookings.filter(({ pending }) => !pending).reduce((total, { amount }) => total + amount, 0)
}

function money(hundredths: number): string {
  return (hundredths / 100).toFixed(2)
}

/** With check digits that are right: letters count from 10 for A. */
function iban({ country, digits: length }: Bank, seed: string): string {
  const number = digits(seed, length)
  const letters = [...country].map((letter) => letter.charCodeAt(0) - 87).join('')
  const check = 98n - (BigInt(`${number}${letters}00`) % 97n)
  return `${country.toUpperCase()}${String(check).padStart(2, '0')}${number}`
}
