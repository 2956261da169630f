import { maskIban } from '../../../entities/bank-account.ts'
import type { Statement } from '../kontomatik/bank-statement.ts'
import type { Transaction } from '../kontomatik/transaction.ts'

/** An account or a card as the bank lists it. */
export interface ListedAccount {
  isCard: boolean
  /** The account number or the id of the card, which identifies the account. */
  key: string | null
  name: string
  bankName: string | null
  iban: string | null
  currency: string | null
  balance: string | null
  availableBalance: string | null
  /** The bank may have more lines. */
  isPartial: boolean
  /** How many lines could not be read. */
  skipped: number
  transactions: Transaction[]
}

/** The accounts and cards of a statement. Entries with the same key are merged. */
export function accountsIn({ accounts, cards }: Statement): ListedAccount[] {
  const all = [
    ...accounts.map(({ partial, dropped, ...account }): ListedAccount => {
      const name = account.name ?? (account.iban ? maskIban(account.iban) : 'Account')
      return { ...account, isCard: false, key: account.iban, name, isPartial: partial || dropped > 0, skipped: dropped }
    }),
    ...cards.map(({ cardId, number, partial, dropped, limit: _, dueDate: __, ...card }): ListedAccount => {
      const suffix = number ? ` •••• ${number}` : ''
      const bankName = `${card.bankName ?? ''}${suffix}`
      const own = { isCard: true, key: cardId, name: `${card.name ?? 'Card'}${suffix}`, bankName }
      return {
        ...card,
        ...own,
        iban: null,
        availableBalance: null,
        isPartial: partial || dropped > 0,
        skipped: dropped,
      }
    }),
  ]
  const byKey = new Map<unknown, ListedAccount>()
  for (const one of all) {
    const key = one.key ? JSON.stringify([one.isCard, one.key, one.currency]) : one
    const known = byKey.get(key)
    byKey.set(key, known ? merge(known, one) : one)
  }
  return [...byKey.values()]
}

function merge(known: ListedAccount, one: ListedAccount): ListedAccount {
  return {
    ...one,
    isPartial: known.isPartial || one.isPartial,
    skipped: known.skipped + one.skipped,
    transactions: [...known.transactions, ...one.transactions],
  }
}
