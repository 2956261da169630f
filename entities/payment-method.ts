import { IsString, Matches, MaxLength } from 'class-validator'
import { Column, Entity, Index } from 'typeorm'
import { Owned } from './identified.ts'

/** A card or account that Stripe can charge. The stored data identify it for people and cannot be used to pay. */
@Entity()
@Index(['organizationId', 'externalId'], { unique: true })
export class PaymentMethod extends Owned {
  @Column('text')
  type: string

  @Column('text', { nullable: true })
  brand: string | null = null

  @Column('text', { nullable: true })
  last4: string | null = null

  @Column('smallint', { nullable: true })
  expiryMonth: number | null = null

  @Column('smallint', { nullable: true })
  expiryYear: number | null = null

  @Column('text')
  @IsString()
  @MaxLength(255)
  @Matches(/^pm_\w+$/, { message: 'externalId must be the id of a Stripe payment method (pm_…)' })
  externalId: string

  @Column('boolean')
  preferred: boolean = false

  get name(): string {
    const kind = this.brand ?? this.type
    const title = kind[0].toUpperCase() + kind.slice(1).replaceAll('_', ' ')
    return this.last4 ? `${title} •••• ${this.last4}` : title
  }
}
