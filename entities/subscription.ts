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
import { Column, Entity, ForeignKey, Index, ManyToOne } from 'typeorm'
import { Owned } from './identified.ts'
import type { Organization } from './organization.ts'
import { OrganizationAddress } from './organization-address.ts'
import { catalogue } from './organization-module.ts'
import { PaymentMethod } from './payment-method.ts'

/** A note on a subscription that its organization keeps for itself. */
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

/** What of a subscription is Stripe's to say. */
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

/** What an organization pays for: seats and modules, in one of Stripe's eight statuses. */
@Entity()
@ForeignKey(() => OrganizationAddress, ['organizationId', 'organizationAddressId'], ['organizationId', 'id'])
@ForeignKey(() => PaymentMethod, ['organizationId', 'paymentMethodId'], ['organizationId', 'id'])
@Index('subscription:live', { synchronize: false })
@Index(['organizationId', 'organizationAddressId'])
@Index(['organizationId', 'paymentMethodId'])
@Index(['externalId'], { unique: true })
export class Subscription extends Owned {
  @ManyToOne('Organization', { nullable: false })
  @ValidateIf((_, value) => value !== undefined)
  @IsObject()
  override organization: Organization

  /** Null after the address of an ended subscription is deleted, or where Stripe has a subscription and no address is here. */
  @ManyToOne(() => OrganizationAddress, { createForeignKeyConstraints: false })
  @ValidateIf((_, value) => value !== undefined)
  @IsObject()
  organizationAddress: OrganizationAddress | null

  @Column('uuid', { nullable: true })
  organizationAddressId: string | null

  /** A copy of the address, once that has been deleted after the subscription ended. */
  @Column('jsonb', { nullable: true })
  @Type(() => Object)
  billedTo: Record<string, string | null> | null = null

  @Column('text')
  @ValidateIf((_, value) => value !== undefined)
  @IsIn(['monthly', 'yearly'])
  type: 'monthly' | 'yearly' = 'monthly'

  @ManyToOne(() => PaymentMethod, { createForeignKeyConstraints: false })
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

  /** What else the operator has put on the bill at Stripe: lines that are not of the catalogue. */
  @Column('jsonb', { default: [] })
  otherProducts: { name: string; quantity: number }[] = []

  @Column('text')
  status: string = 'incomplete'

  @Column('text', { nullable: true })
  externalId: string | null = null

  @Column('jsonb')
  @ValidateIf((_, value) => value !== undefined)
  @IsArray()
  @ArrayMaxSize(20)
  @IsObject({ each: true })
  @ArrayUnique((note: Metadatum | null) => note?.name, { message: 'metadata names must be different' })
  @ValidateNested({ each: true })
  @Type(() => Metadatum)
  metadata: Metadatum[] = []

  /** The code of the coupon that is on it, as it was typed or as Stripe knows it. */
  @Column('text', { nullable: true })
  coupon: string | null = null

  /** Since when a subscription billed by hand runs; its periods are counted from then. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  confirmedAt: Date | null = null

  /** When it ends, once it has been cancelled at the end of a period. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  cancelAt: Date | null = null

  /** What becomes of its invoices while the operator has paused their collection at Stripe. */
  @Column('text', { nullable: true })
  paused: string | null = null

  /** The secret that confirms the payment of its open invoice in the browser; fetched for each request, never stored. */
  private secret?: string | null

  /** Stripe's page on which its open invoice can be paid; fetched along with the secret. */
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
   * Serves the organization, if only until an overdue payment is given up on. By Stripe's meaning of paused collection, void
   * invoices stand for a service that is not given; the other kinds stand for one that is free or paid for later.
   */
  get active(): boolean {
    return ['trialing', 'active', 'past_due'].includes(this.status) && this.paused !== 'void'
  }

  get awaiting(): boolean {
    return this.status === 'incomplete'
  }

  /** Whether an invoice of it may be open that its people can pay. */
  get canHaveOpenInvoice(): boolean {
    return ['incomplete', 'past_due', 'unpaid'].includes(this.status) && this.externalId !== null
  }

  /** Not ended: an organization has one such subscription at most. */
  get live(): boolean {
    return !['canceled', 'incomplete_expired'].includes(this.status)
  }

  /** Whether a coupon can be put on it: one at Stripe that is paid for. */
  get acceptsCoupon(): boolean {
    return this.live && !this.awaiting && this.externalId !== null
  }

  /** Takes over what Stripe says of it. */
  applyStripeState(state: Partial<StripeState>): this {
    return Object.assign(this, state)
  }

  showPayment({ secret, url }: { secret: string | null; url: string | null }): this {
    this.secret = secret
    this.page = url
    return this
  }

  /** Lets a subscription that is billed by hand begin. */
  confirm(now = new Date()): this {
    this.status = 'active'
    this.confirmedAt = now
    return this
  }

  /** Ends it: at once when asked, or when nothing has been paid for yet; else when the running period does. */
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

/** The end of the period of so many months, counted from an anchor, in which `now` lies; the 31st falls back to a month's last day. */
function periodEnd(anchor: Date, months: number, now: Date): Date {
  for (let count = months; ; count += months) {
    const end = new Date(anchor)
    end.setUTCMonth(end.getUTCMonth() + count, 1)
    const lastDay = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() + 1, 0)).getUTCDate()
    end.setUTCDate(Math.min(anchor.getUTCDate(), lastDay))
    if (end > now) return end
  }
}
