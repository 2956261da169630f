import { Column, Entity, ForeignKey, Index, JoinColumn, ManyToOne } from 'typeorm'
import { BankAccount } from './bank-account.ts'
import { Counted } from './identified.ts'

/** A transaction on a bank statement. It has no id from the bank, so two with equal values may both be real. */
@Entity()
@ForeignKey(() => BankAccount, ['organizationId', 'accountId'], ['organizationId', 'id'])
@Index(['organizationId', 'transactionOn', 'id'])
@Index(['organizationId', 'bookedOn', 'id'])
@Index(['organizationId', 'amount', 'id'])
@Index(['organizationId', 'accountId', 'transactionOn', 'id'])
@Index(['organizationId', 'currency', 'id'])
@Index(['organizationId', 'kind', 'id'])
@Index(['organizationId', 'status', 'id'])
@Index('bank_transaction.searchText', { synchronize: false })
export class BankTransaction extends Counted {
  /** An import writes thousands of rows, so each of its statements records one change of the collection. */
  static override readonly recorded = { tenant: 'organizationId', together: true } as const

  @ManyToOne(() => BankAccount, { nullable: false, createForeignKeyConstraints: false })
  @JoinColumn({ name: 'accountId', referencedColumnName: 'id' })
  account: BankAccount

  @Column('uuid')
  accountId: string

  /** Null while the transaction is pending. */
  @Column('date', { nullable: true })
  bookedOn: string | null = null

  @Column('date')
  transactionOn: string

  /** A decimal number in the currency's precision; negative for an outgoing payment. */
  @Column('numeric')
  amount: string

  @Column('text', { nullable: true })
  currency: string | null = null

  @Column('text', { nullable: true })
  party: string | null = null

  @Column('text', { nullable: true })
  partyIban: string | null = null

  @Column('text', { nullable: true })
  text: string | null = null

  @Column('text', { nullable: true })
  kind: string | null = null

  @Column('text', { nullable: true })
  status: string | null = null

  /** The text that searches match; a trigger maintains it. */
  @Column('text', { select: false })
  readonly searchText: string

  get name(): string {
    return this.party ?? this.text ?? this.kind ?? this.transactionOn
  }
}
