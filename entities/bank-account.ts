import { Column, Entity, ForeignKey, Index, ManyToOne } from 'typeorm'
import { Owned } from './identified.ts'
import { Integration } from './integration.ts'

/** An account or a card at a linked bank, as it was imported last. */
@Entity()
@ForeignKey(() => Integration, ['organizationId', 'integrationId'], ['organizationId', 'id'])
@Index(['integrationId', 'reference'], { unique: true })
@Index(['integrationId', 'id'])
@Index(['organizationId', 'integrationId', 'id'])
@Index('bank_account.name', { synchronize: false })
@Index('bank_account.number', { synchronize: false })
export class BankAccount extends Owned {
  @ManyToOne(
    () => Integration,
    ({ accounts }) => accounts,
    { nullable: false, createForeignKeyConstraints: false },
  )
  integration: Integration

  @Column('uuid')
  integrationId: string

  /** The bank's key of it: its number or the id of its card, with the currency; where it has neither, a key of our own. */
  @Column('text')
  reference: string

  /** The bank's own name for it, which its owner cannot change; null of accounts that were stored before it was kept. */
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

  /** The day of the first import in which the bank no longer listed it. */
  @Column('date', { nullable: true })
  closedOn: string | null = null
}

/** A number of an account of which only its ends are shown. */
export function maskIban(iban: string): string {
  return iban.length > 8 ? `${iban.slice(0, 4)}••…${iban.slice(-4)}` : '••…'
}
