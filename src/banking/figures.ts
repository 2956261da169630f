/** An amount with exactly two decimals, as Postgres writes a numeric(…, 2); nothing if it is none. */
export function amountOf(text: string | null): string | null {
  const [, sign, whole, decimals = ''] = /^([+-]?)(\d{1,15})(?:\.(\d{1,20}))?$/.exec(text ?? '') ?? []
  if (whole === undefined) return null
  const cents = BigInt(whole + decimals.padEnd(2, '0').slice(0, 2)) + (decimals[2] >= '5' ? 1n : 0n)
  const digits = String(cents).padStart(3, '0')
  return `${sign === '-' && cents > 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** A day of the calendar as YYYY-MM-DD, be there a time behind it or not; nothing if there is no such day. */
export function dayOf(text: string | null): string | null {
  const [, day] = /^((?:19|20)\d\d-\d\d-\d\d)(?:T.*)?$/.exec(text ?? '') ?? []
  const date = day && new Date(`${day}T00:00:00Z`)
  return date && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day) ? day : null
}

/** The number of an account without its blanks; many are digits alone. */
export function ibanOf(text: string | null): string | null {
  return text?.replaceAll(/[\s-]/g, '').toUpperCase() || null
}
