import { readFields } from '../http/form-fields.ts'
import { element } from '../http/markup.ts'
import { type KontomatikRequest, type KontomatikResponse, xmlReply } from '../http/response.ts'

/** A bank that does not exist. */
export interface Bank {
  name: string
  officialName: string
  country: string
  currency: string
  /** How many digits an account number has behind country and check digits. */
  digits: number
  /** Without it, there is no importing by default. */
  psd2: boolean
}

export const banks: Bank[] = [
  { name: 'KontoBankApi', officialName: 'KontoBank Łódź', country: 'pl', currency: 'PLN', digits: 24, psd2: true },
  { name: 'VistulaApi', officialName: 'Vistula & Synowie', country: 'pl', currency: 'PLN', digits: 24, psd2: true },
  { name: 'BohemiaApi', officialName: 'Banka Bohemia', country: 'cz', currency: 'CZK', digits: 20, psd2: true },
  { name: 'IberiaApi', officialName: 'Banco Ibérico', country: 'es', currency: 'EUR', digits: 20, psd2: true },
  { name: 'OldBank', officialName: 'Old Bank', country: 'pl', currency: 'PLN', digits: 24, psd2: false },
]

export function bankNamed(name: string | undefined): Bank | undefined {
  return banks.find((bank) => bank.name === name)
}

export function banksOf(country: string | undefined): Bank[] {
  return banks.filter((bank) => !country || country === 'all' || bank.country === country)
}

export function commandCatalog({ query }: KontomatikRequest): KontomatikResponse {
  const { country } = readFields(query, { optional: ['country'] })
  const targets = banksOf(country).map(({ name, officialName, country, psd2 }) =>
    element('target', {
      name,
      institution: officialName,
      officialName,
      country,
      psd2: String(psd2),
      beta: String(!psd2),
    }),
  )
  return xmlReply(200, element('targets', {}, ...targets))
}
