import { amountOf, dayOf, ibanOf } from './amounts.ts'
import { type Element, indexable } from './xml-element.ts'

/** One line of a statement. Kontomatik gives it no id. */
export interface Transaction {
  /** YYYY-MM-DD. */
  transactionOn: string
  /** Null while the transaction is pending. */
  bookedOn: string | null
  /** With the decimals of its currency; negative for a payment. */
  amount: string
  currency: string | null
  party: string | null
  partyIban: string | null
  title: string | null
  kind: string | null
  /** `PENDING`, `DONE`, or another value of the bank. */
  status: string | null
}

/** @returns undefined if the amount or a day cannot be read */
export function readTransaction(element: Element, accountCurrency: string | null): Transaction | undefined {
  const currency = element.text('currencyName', 16)?.toUpperCase() ?? accountCurrency
  const amount = amountOf(element.text('currencyAmount'), currency)
  const [transaction, booked] = [element.text('transactionOn'), element.text('bookedOn')]
  const [transactionOn, bookedOn] = [dayOf(transaction), dayOf(booked)]
  const day = transactionOn ?? bookedOn
  if (!amount || !day || (transaction && !transactionOn) || (booked && !bookedOn)) return undefined
  return {
    transactionOn: day,
    bookedOn,
    amount,
    currency,
    party: element.text('party'),
    partyIban: ibanOf(element.text('partyIban')),
    title: element.text('title'),
    kind: element.text('kind', indexable),
    status: element.text('status', indexable)?.toUpperCase() ?? (bookedOn ? null : 'PENDING'),
  }
}
