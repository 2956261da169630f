import { Column, Entity, Index, PrimaryColumn } from 'typeorm'

/** Something that Stripe says has happened, stored once under Stripe's id; only a doorbell, since the state is fetched. */
@Entity()
@Index(['status', 'customerId'])
@Index(['receivedAt'])
export class StripeEvent {
  @PrimaryColumn('text')
  id: string

  @Column('text')
  type: string

  /** Whom it is about, as Stripe calls it; null for what concerns no customer. */
  @Column('text', { nullable: true })
  customerId: string | null

  @Column('text', { nullable: true })
  objectId: string | null

  @Column('timestamp with time zone', { precision: 3 })
  created: Date

  @Column('jsonb')
  payload: object

  /** `failed` is a dead letter: nothing happens to it until somebody has it replayed. */
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
