import { Column, Entity, ForeignKey, Index, ManyToOne } from 'typeorm'
import { Owned } from './identified.ts'
import { Integration } from './integration.ts'

/** An account or a card at a linked bank, as it was imported last. */
@Entity()
@ForeignKey(() => Integration, ['organizationId', 'integrationId'], ['organizationId', 'id'])
@Index(['integrationId', 'reference'], { unique: true })
@Index(['integrationId', 'id'])
@Index(['organizationId', 'integrationId', 'id'])
@Index(['organizationId', 'name', 'id'])
export class BankAccount extends Owned {
  @ManyToOne(
    () => Integration,
    ({ accounts }) => accounts,
    { nullable: false, createForeignKeyConstraints: false },
  )
  integration: Integration

  @Column('uuid')
  integrationId: string

  /** What the bank knows it by, so that it is met again: its number and currency, or its name where it has no number. */
  @Column('text')
  reference: string

  @Column('text')
  name: string

  @Column('text', { nullable: true })
  iban: string | null = null

  @Column('text', { nullable: true })
  currency: string | null = null

  @Column('numeric', { precision: 17, scale: 2, nullable: true })
  balance: string | null = null

  @Column('numeric', { precision: 17, scale: 2, nullable: true })
  availableBalance: string | null = null
}

/** A number of an account of which only its ends are shown. */
export function masked(iban: string): string {
  return iban.length > 8 ? `${iban.slice(0, 4)}••…${iban.slice(-4)}` : '••…'
}
