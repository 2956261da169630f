/** The decimals of currencies that do not have two (ISO 4217). */
const decimalsOf = new Map(
  Object.entries({
    0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
    3: 'BHD IQD JOD KWD LYD OMR TND',
    4: 'CLF UYW',
  }).flatMap(([decimals, currencies]) =>
    currencies.split(' ').map((currency) => [currency, Number(decimals)] as const),
  ),
)

/** The notations of numbers in bank statements. `1,234` is ambiguous: thousands or decimals. */
const ambiguous = /^[1-9]\d{0,2},\d{3}$/
const notations = [
  /^(\d*)(?:[.,](\d*))?$/,
  /^(\d{1,3}(?:[ '’]\d{3})+)(?:[.,](\d+))?$/,
  /^(\d{1,3}(?:\.\d{3})+),(\d+)$/,
  /^(\d{1,3}(?:,\d{3})+)\.(\d+)$/,
  /^(\d{1,3}(?:\.\d{3}){2,})$/,
  /^(\d{1,3}(?:,\d{3}){2,})$/,
]

/** An amount with the decimals of its currency, two by default; null if the text is no amount or is ambiguous. */
export function amountOf(text: string | null, currency: string | null = null): string | null {
  const { sign, number } = splitSign(text ?? '')
  const [, whole = '', fraction = ''] = notationOf(number) ?? []
  const integer = whole.replace(/\D/g, '').replace(/^0+/, '')
  if (whole + fraction === '' || integer.length > 15 || fraction.length > 20) return null
  return round(sign, integer, fraction, decimalsOf.get(currency ?? '') ?? 2)
}

/** The sign stands before or after the number, and may be a typographic one. */
function splitSign(text: string): { sign: string; number: string } {
  const [, before, number = '', after] = /^([+\-−–]?) ?([\d.,' ’]{1,60}?) ?([+\-−–]?)$/.exec(text) ?? []
  return before && after ? { sign: '', number: '' } : { sign: (before || after || '').replace(/[−–]/, '-'), number }
}

function notationOf(number: string): RegExpExecArray | null {
  if (ambiguous.test(number)) return null
  return notations.reduce<RegExpExecArray | null>((found, notation) => found ?? notation.exec(number), null)
}

function round(sign: string, integer: string, fraction: string, decimals: number): string {
  const units =
    BigInt(integer + fraction.padEnd(decimals, '0').slice(0, decimals)) + (fraction[decimals] >= '5' ? 1n : 0n)
  const digits = String(units).padStart(decimals + 1, '0')
  const end = digits.length - decimals
  const negative = sign === '-' && units > 0n ? '-' : ''
  return negative + digits.slice(0, end) + (decimals > 0 ? `.${digits.slice(end)}` : '')
}

/** The notations of days in bank statements. A time or an offset may follow. */
const days = [
  /^(?<year>\d{4})(?<separator>[-./])(?<month>\d{1,2})\k<separator>(?<day>\d{1,2})(?=$|[T Z+-])/,
  /^(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)(?=$|[T Z+-])/,
  /^(?<day>\d{1,2})\.(?<month>\d{1,2})\.(?<year>\d{4})(?=$|[T ])/,
  /^(?<day>1[3-9]|[23]\d)(?<separator>[-/])(?<month>\d{1,2})\k<separator>(?<year>\d{4})(?=$|[T ])/,
]

/** A calendar day as YYYY-MM-DD; null if the text is no such day, or its order of day and month is ambiguous. */
export function dayOf(text: string | null): string | null {
  const found = days.reduce<RegExpExecArray | null>((found, notation) => found ?? notation.exec(text ?? ''), null)
  const { year = '', month = '', day = '' } = found?.groups ?? {}
  const written = [year, month.padStart(2, '0'), day.padStart(2, '0')].join('-')
  const date = new Date(`${written}T00:00:00Z`)
  const exists = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(written)
  return exists && /^(19|20)/.test(year) ? written : null
}

/** An account number without spaces. Many banks give a Polish number without its country code, which is added (ISO 13616). */
export function ibanOf(text: string | null): string | null {
  const number = text?.replaceAll(/[\s-]/g, '').toUpperCase() || null
  return number && /^\d{26}$/.test(number) && isValidIban(`PL${number}`) ? `PL${number}` : number
}

/** Whether the check digits of an IBAN are right (ISO 7064, MOD 97-10). */
function isValidIban(iban: string): boolean {
  const digits = [...iban.slice(4), ...iban.slice(0, 4)].map((character) => Number.parseInt(character, 36)).join('')
  return BigInt(digits) % 97n === 1n
}
