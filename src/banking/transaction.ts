import type { Element } from './element.ts'
import { amountOf, dayOf, ibanOf } from './figures.ts'

/** One line of a statement. Kontomatik gives it no id. */
export interface Transaction {
  /** YYYY-MM-DD. */
  transactionOn: string
  /** Nothing while it is pending. */
  bookedOn: string | null
  /** With two decimals; below zero is what was paid. */
  amount: string
  currency: string | null
  party: string | null
  partyIban: string | null
  title: string | null
  kind: string | null
  /** `PENDING`, `DONE`, or nothing. */
  status: string | null
}

/** Nothing if it has no readable amount or no readable day. */
export function readTransaction(element: Element, currency: string | null): Transaction | undefined {
  const amount = amountOf(element.text('currencyAmount'))
  const [transaction, booked] = [element.text('transactionOn'), element.text('bookedOn')]
  const [transactionOn, bookedOn] = [dayOf(transaction), dayOf(booked)]
  const day = transactionOn ?? bookedOn
  if (!amount || !day || (transaction && !transactionOn) || (booked && !bookedOn)) return undefined
  return {
    transactionOn: day,
    bookedOn,
    amount,
    currency: element.text('currencyName') ?? currency,
    party: element.text('party'),
    partyIban: ibanOf(element.text('partyIban')),
    title: element.text('title'),
    kind: element.text('kind'),
    status: element.text('status')?.toUpperCase() ?? null,
  }
}
