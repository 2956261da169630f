import { Column, Entity, ForeignKey, Index, JoinColumn, ManyToOne } from 'typeorm'
import { AuditEvent } from './audit-event.ts'
import { Counted } from './identified.ts'
import { WebhookEndpoint } from './webhook-endpoint.ts'

/** An event that is sent to an endpoint. Its id is that of the message, so a receiver recognizes a repetition. */
@Entity()
@ForeignKey(() => WebhookEndpoint, ['organizationId', 'endpointId'], ['organizationId', 'id'])
@ForeignKey(() => AuditEvent, ['organizationId', 'auditEventId'], ['organizationId', 'id'])
@Index(['organizationId', 'endpointId', 'id'])
@Index(['organizationId', 'event', 'id'])
@Index(['organizationId', 'status', 'id'])
@Index(['createdAt'])
@Index('webhook_delivery:due', ['nextAttemptAt'], { where: `"status" = 'pending'` })
export class WebhookDelivery extends Counted {
  /** Each attempt writes the row, so the writes of one statement are one change of the collection. */
  static override readonly recorded = { tenant: 'organizationId', together: true } as const

  @ManyToOne(() => WebhookEndpoint, { nullable: false, createForeignKeyConstraints: false })
  @JoinColumn({ name: 'endpointId', referencedColumnName: 'id' })
  endpoint: WebhookEndpoint

  @Column('uuid')
  endpointId: string

  /** Null for a test event, which is in no log. */
  @ManyToOne(() => AuditEvent, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'auditEventId', referencedColumnName: 'id' })
  auditEvent: AuditEvent | null

  @Column('uuid', { nullable: true })
  auditEventId: string | null = null

  @Column('text')
  event: string

  @Column('text')
  status: 'pending' | 'delivered' | 'failed' = 'pending'

  @Column('integer')
  attempts: number = 0

  /** When it is sent, or sent again. While an attempt runs, the end of its lease. Null once it is done. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  nextAttemptAt: Date | null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  lastAttemptAt: Date | null = null

  /** The status of the last response; null where there was none. */
  @Column('integer', { nullable: true })
  responseStatus: number | null = null

  /** The first characters of the last response. */
  @Column('text', { nullable: true })
  responseBody: string | null = null

  /** How long the last attempt took, in milliseconds. */
  @Column('integer', { nullable: true })
  duration: number | null = null

  /** Why the last attempt failed, in a sentence. */
  @Column('text', { nullable: true })
  error: string | null = null

  /** Makes it due at once, with all its attempts. */
  startOver(): this {
    this.status = 'pending'
    this.attempts = 0
    this.nextAttemptAt = new Date()
    return this
  }
}
