import { createHash } from 'node:crypto'
import type { Import } from './state.ts'

/** One movement of money in a bank that does not exist, in hundredths. */
export interface Booking {
  on: number
  amount: number
  title: string
  party: string
  partyIban?: string
  kind: 'CARD' | 'TRANSFER' | 'INTEREST'
  symbol?: string
  pending: boolean
}

type BookingDetails = Omit<Booking, 'on' | 'pending'>

/** Every account was opened on 1 January 2024. */
export const openingDay = 19_723

/** The bookings of a company's current account; today's card bookings are pending until the next import. */
export function currentBookings({ target, login, from, on, importedBefore }: Import): Booking[] {
  return days(from, on).flatMap((day) =>
    eventsOf(`${target}|${login}`, day).map((event) => ({
      ...event,
      on: day,
      pending: event.kind === 'CARD' && day === on && importedBefore !== on,
    })),
  )
}

export function savingsBookings({ from, on }: Import): Booking[] {
  const interest: BookingDetails = { amount: 125, title: 'Interest', party: 'Bank', kind: 'INTEREST' }
  return days(from, on)
    .filter(isFirst)
    .map((day) => ({ ...interest, on: day, pending: false }))
}

export function cardBookings({ from, on }: Import): Booking[] {
  const music: BookingDetails = { amount: -4999, title: 'Subscription', party: 'Múzica', kind: 'CARD' }
  return days(from, on)
    .filter(isFirst)
    .map((day) => ({ ...music, on: day, pending: false }))
}

/** Digits that are always the same for the same text. */
export function digits(text: string, count: number): string {
  const hash = createHash('sha512').update(text).digest('hex')
  return String(BigInt(`0x${hash}`)).slice(-count)
}

function eventsOf(customer: string, day: number): BookingDetails[] {
  const coffee: BookingDetails = { amount: -1250, title: 'Kawa', party: 'Kawiarnia Łódź', kind: 'CARD' }
  const chance = Number(digits(`${customer}|${day}`, 4))
  return [
    coffee,
    ...(isMonday(day) ? [coffee] : []),
    ...(isFirst(day) ? [salary] : []),
    ...(day % 10 === 0 ? [rent] : []),
    ...(chance % 3 === 0 ? [{ ...shop, amount: -100 - chance }] : []),
  ]
}

const salary: BookingDetails = {
  amount: 800_000,
  title: '0012345',
  party: 'Biuro <Nowe> & "Synowie"',
  partyIban: '61109010140000071219812874',
  kind: 'TRANSFER',
  symbol: '0012345',
}
const rent: BookingDetails = { amount: -150_000, title: '1e5', party: 'Zarządca', kind: 'TRANSFER' }
const shop: Omit<BookingDetails, 'amount'> = { title: 'Zakupy \u2013 dziękujemy', party: 'Zielony Sklep', kind: 'CARD' }

function days(from: number, to: number): number[] {
  const first = Math.max(from, openingDay)
  return Array.from({ length: Math.max(0, to - first + 1) }, (_, index) => first + index)
}

/** 1 January 1970 was a Thursday. */
function isMonday(day: number): boolean {
  return day % 7 === 4
}

function isFirst(day: number): boolean {
  return new Date(day * 86_400_000).getUTCDate() === 1
}
