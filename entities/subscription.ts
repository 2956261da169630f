import { Type } from 'class-transformer'
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsNotIn,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator'
import { Column, Entity, ForeignKey, Index, JoinColumn, ManyToOne } from 'typeorm'
import { Owned } from './identified.ts'
import type { Organization } from './organization.ts'
import { OrganizationAddress } from './organization-address.ts'
import { catalogue } from './organization-module.ts'
import { PaymentMethod } from './payment-method.ts'

/** The statuses of a subscription that has ended for good. */
export const endedStatuses = ['canceled', 'incomplete_expired']

/** Whether a subscription is live, in SQL on its row. The unique index `subscription:live` has the same condition. */
export const liveCondition = `"status" NOT IN (${endedStatuses.map((status) => `'${status}'`).join(', ')})`

/** An entry of the metadata that an organization keeps on its subscription. */
export class Metadatum {
  @IsString()
  @Length(1, 40)
  @IsNotIn(['organization', 'subscription'], { message: 'name is reserved' })
  @Matches(/^[^[\]]*$/, { message: 'name must not contain square brackets' })
  name: string

  @IsString()
  @MaxLength(500)
  value: string
}

/** The properties of a subscription that Stripe decides. */
export type StripeState = Pick<
  Subscription,
  | 'externalId'
  | 'status'
  | 'type'
  | 'seats'
  | 'modules'
  | 'otherProducts'
  | 'coupon'
  | 'cancelAt'
  | 'paused'
  | 'paymentMethodId'
>

/** A subscription to seats and modules, in one of Stripe's eight statuses. */
@Entity()
@ForeignKey(() => OrganizationAddress, ['organizationId', 'organizationAddressId'], ['organizationId', 'id'])
@ForeignKey(() => PaymentMethod, ['organizationId', 'paymentMethodId'], ['organizationId', 'id'])
@Index('subscription:live', { synchronize: false })
@Index(['organizationId', 'organizationAddressId'])
@Index(['organizationId', 'paymentMethodId'])
@Index(['organizationId', 'externalId'], { unique: true })
export class Subscription extends Owned {
  /** The modules of the organization depend on each write, so one file makes them all. */
  declare readonly writer: 'src/billing/save-subscription.ts'

  @ManyToOne('Organization', { nullable: false })
  @ValidateIf((_, value) => value !== undefined)
  @IsObject()
  override organization: Organization

  /** Null after the address of an ended subscription is deleted, or for a subscription that was created at Stripe. */
  @ManyToOne(() => OrganizationAddress, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'organizationAddressId', referencedColumnName: 'id' })
  @ValidateIf((_, value) => value !== undefined)
  @IsObject()
  organizationAddress: OrganizationAddress | null

  @Column('uuid', { nullable: true })
  organizationAddressId: string | null

  /** A copy of the address, made when the address of an ended subscription is deleted. */
  @Column('jsonb', { nullable: true })
  @Type(() => Object)
  billedTo: Record<string, string | null> | null = null

  @Column('text')
  @ValidateIf((_, value) => value !== undefined)
  @IsIn(['monthly', 'yearly'])
  type: 'monthly' | 'yearly' = 'monthly'

  @ManyToOne(() => PaymentMethod, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'paymentMethodId', referencedColumnName: 'id' })
  @IsOptional()
  paymentMethod: PaymentMethod | null

  @Column('uuid', { nullable: true })
  paymentMethodId: string | null = null

  @Column('integer')
  @ValidateIf((_, value) => value !== undefined)
  @IsInt()
  @Min(1)
  @Max(100_000)
  seats: number

  @Column('text', { array: true })
  @ValidateIf((_, value) => value !== undefined)
  @IsArray()
  @ArrayMaxSize(catalogue.length)
  @ArrayUnique()
  @IsIn(catalogue, { each: true })
  modules: string[] = []

  /** Lines that the operator has added to the subscription at Stripe and that are not in the catalogue. */
  @Column('jsonb', { default: [] })
  otherProducts: { name: string; quantity: number }[] = []

  @Column('text')
  status: string = 'incomplete'

  @Column('text', { nullable: true })
  externalId: string | null = null

  @Column('jsonb')
  @Type(() => Metadatum)
  @ValidateIf((_, value) => value !== undefined)
  @IsArray()
  @ArrayMaxSize(20)
  @IsObject({ each: true })
  @ArrayUnique((entry: Metadatum | null) => entry?.name, { message: 'metadata names must be unique' })
  @ValidateNested({ each: true })
  metadata: Metadatum[] = []

  /** The code of its coupon, as the caller typed it or as Stripe spells it. */
  @Column('text', { nullable: true })
  coupon: string | null = null

  /** The start of a manually billed subscription. Its periods count from then. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  confirmedAt: Date | null = null

  /** The end of a subscription that is cancelled at the end of its period. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  cancelAt: Date | null = null

  /** How Stripe treats its invoices while the operator has paused their collection; null while it is not paused. */
  @Column('text', { nullable: true })
  paused: string | null = null

  /** The secret that confirms the payment of its open invoice in a browser. It is fetched for each request and never stored. */
  private secret?: string | null

  /** Stripe's payment page for its open invoice, fetched together with the secret. */
  private page?: string | null

  get confirmationSecret(): string | null {
    return this.secret ?? null
  }

  get hostedInvoiceUrl(): string | null {
    return this.page ?? null
  }

  @Type(() => Array)
  get products(): { name: string; quantity: number }[] {
    const modules = this.modules.map((name) => ({ name, quantity: 1 }))
    return [{ name: 'seat', quantity: this.seats }, ...modules, ...this.otherProducts]
  }

  /**
   * Whether it gives the organization its modules. An overdue subscription still does. So does one with paused collection,
   * unless its invoices become void: by Stripe's definition, the service is then not provided.
   */
  get active(): boolean {
    return ['trialing', 'active', 'past_due'].includes(this.status) && this.paused !== 'void'
  }

  /** The modules that the organization has from it. */
  get grantedModules(): string[] {
    return this.active ? this.modules : []
  }

  get awaiting(): boolean {
    return this.status === 'incomplete'
  }

  /** Whether Stripe can have an open invoice that the organization can pay. */
  get canHaveOpenInvoice(): boolean {
    return ['incomplete', 'past_due', 'unpaid'].includes(this.status) && this.externalId !== null
  }

  /** Whether it has not ended. An organization has at most one live subscription. */
  get live(): boolean {
    return !endedStatuses.includes(this.status)
  }

  /** Whether a coupon can be applied: it is live, exists at Stripe, and its first payment is done. */
  get acceptsCoupon(): boolean {
    return this.live && !this.awaiting && this.externalId !== null
  }

  /** Takes the state of Stripe's subscription. */
  applyStripeState(state: Partial<StripeState>): this {
    return Object.assign(this, state)
  }

  showPayment({ secret, url }: { secret: string | null; url: string | null }): this {
    this.secret = secret
    this.page = url
    return this
  }

  /** Starts a manually billed subscription. */
  confirm(now = new Date()): this {
    this.status = 'active'
    this.confirmedAt = now
    return this
  }

  /** Ends it: immediately if asked to or if no period has started, or else at the end of the current period. */
  cancel(immediately: boolean, now = new Date()): this {
    if (immediately || this.awaiting || !this.confirmedAt) return this.end()
    this.cancelAt = periodEnd(this.confirmedAt, this.type === 'yearly' ? 12 : 1, now)
    return this
  }

  end(): this {
    this.status = 'canceled'
    return this
  }
}

/**
 * The end of the current period. Periods count from the anchor; a day that a month lacks becomes its last day.
 * @param months the length of a period
 */
function periodEnd(anchor: Date, months: number, now: Date): Date {
  for (let count = months; ; count += months) {
    const end = new Date(anchor)
    end.setUTCMonth(end.getUTCMonth() + count, 1)
    const lastDay = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() + 1, 0)).getUTCDate()
    end.setUTCDate(Math.min(anchor.getUTCDate(), lastDay))
    if (end > now) return end
  }
}
