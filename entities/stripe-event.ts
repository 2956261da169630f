import { Column, Entity, Index, PrimaryColumn } from 'typeorm'

/** An event of Stripe, stored once by Stripe's id. It only triggers a sync, which fetches the current state from Stripe. */
@Entity()
@Index(['status', 'customerId'])
@Index(['receivedAt'])
export class StripeEvent {
  @PrimaryColumn('text')
  id: string

  @Column('text')
  type: string

  /** The id of the Stripe customer; null for an event that concerns none. */
  @Column('text', { nullable: true })
  customerId: string | null

  @Column('text', { nullable: true })
  objectId: string | null

  @Column('timestamp with time zone', { precision: 3 })
  created: Date

  @Column('jsonb')
  payload: object

  /** `failed` means dead-lettered: the event is not applied until an operator replays it. */
  @Column('text')
  status: 'pending' | 'done' | 'ignored' | 'failed'

  @Column('integer', { default: 0 })
  attempts: number

  /** Why the last attempt failed. */
  @Column('text', { nullable: true })
  error: string | null

  @Column('timestamp with time zone', { precision: 3, default: () => 'now()' })
  receivedAt: Date

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  processedAt: Date | null
}
