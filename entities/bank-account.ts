import { Column, Entity, ForeignKey, Index, JoinColumn, ManyToOne } from 'typeorm'
import { Owned } from './identified.ts'
import { Integration } from './integration.ts'

/** An account or a card at a linked bank, as of the last import. */
@Entity()
@ForeignKey(() => Integration, ['organizationId', 'integrationId'], ['organizationId', 'id'])
@Index(['organizationId', 'integrationId', 'reference'], { unique: true })
@Index(['organizationId', 'integrationId', 'id'])
@Index('bank_account.name', { synchronize: false })
@Index('bank_account.number', { synchronize: false })
export class BankAccount extends Owned {
  @ManyToOne(
    () => Integration,
    ({ accounts }) => accounts,
    { nullable: false, createForeignKeyConstraints: false },
  )
  @JoinColumn({ name: 'integrationId', referencedColumnName: 'id' })
  integration: Integration

  @Column('uuid')
  integrationId: string

  /** The bank's key of the account: its number or card id, with the currency. Without either, the import makes a key. */
  @Column('text')
  reference: string

  /** The bank's name for it, which users cannot change; null for accounts that were imported before this column existed. */
  @Column('text', { nullable: true })
  bankName: string | null = null

  @Column('text')
  name: string

  @Column('text', { nullable: true })
  iban: string | null = null

  @Column('text', { nullable: true })
  currency: string | null = null

  @Column('numeric', { nullable: true })
  balance: string | null = null

  @Column('numeric', { nullable: true })
  availableBalance: string | null = null

  /** The day of the first import in which the bank did not list it. */
  @Column('date', { nullable: true })
  closedOn: string | null = null
}

/** Replaces the middle of an account number by dots. */
export function maskIban(iban: string): string {
  return iban.length > 8 ? `${iban.slice(0, 4)}••…${iban.slice(-4)}` : '••…'
}
