import { Column, Entity, ForeignKey, Index, JoinColumn, ManyToOne } from 'typeorm'
import { Counted } from './identified.ts'
import { Subscription } from './subscription.ts'

/** The driver reads a bigint as text. Amounts stay far below 2^53, so a number can hold them. */
const amount = { from: Number, to: (value: number) => value }

/** An invoice of a subscription. Every amount comes from Stripe, in the currency's smallest unit. */
@Entity()
@ForeignKey(() => Subscription, ['organizationId', 'subscriptionId'], ['organizationId', 'id'])
@Index(['organizationId', 'subscriptionId', 'id'])
@Index(['organizationId', 'createdAt', 'id'])
@Index(['organizationId', 'externalId'], { unique: true })
export class Invoice extends Counted {
  /** The invoice number. */
  @Column('text', { nullable: true })
  name: string | null = null

  @Column('text')
  externalId: string

  @ManyToOne(() => Subscription, { nullable: false, createForeignKeyConstraints: false })
  @JoinColumn({ name: 'subscriptionId', referencedColumnName: 'id' })
  subscription: Subscription

  @Column('uuid')
  subscriptionId: string

  @Column('text')
  status: string

  @Column('text')
  currency: string

  @Column('bigint', { transformer: amount })
  total: number

  @Column('bigint', { transformer: amount })
  amountDue: number

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  issuedAt: Date | null = null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  dueAt: Date | null = null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  paidAt: Date | null = null

  @Column('text', { nullable: true })
  pdf: string | null = null

  /** Stripe's payment page; null once the invoice is paid or void. */
  @Column('text', { nullable: true })
  hostedInvoiceUrl: string | null = null

  /** The secret that confirms its payment in a browser. It is fetched for each request and never stored. */
  private secret?: string | null

  get confirmationSecret(): string | null {
    return this.secret ?? null
  }

  get isPayable(): boolean {
    return this.status === 'open' || this.status === 'uncollectible'
  }

  showPaymentSecret(secret: string | null): this {
    this.secret = secret
    return this
  }
}
