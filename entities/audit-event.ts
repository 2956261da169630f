import { Column, Entity, ForeignKey, Index, JoinColumn, ManyToOne } from 'typeorm'
import { ApiKey } from './api-key.ts'
import { Counted } from './identified.ts'
import { User } from './user.ts'

/** An entry of the audit log: an action that destroys data or costs money. It is written in the action's transaction. */
@Entity()
@ForeignKey(() => ApiKey, ['organizationId', 'apiKeyId'], ['organizationId', 'id'])
@Index(['organizationId', 'at', 'id'])
@Index(['organizationId', 'action', 'id'])
@Index(['organizationId', 'target', 'id'])
@Index(['organizationId', 'actorId', 'id'])
@Index(['organizationId', 'apiKeyId', 'id'])
export class AuditEvent extends Counted {
  /** The user who acted; null for an action of an API key, of the service itself or of Stripe. */
  @ManyToOne(() => User)
  actor: User | null

  @Column('uuid', { nullable: true })
  actorId: string | null = null

  /** The key of the program that acted; null where a person did. */
  @ManyToOne(() => ApiKey, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'apiKeyId', referencedColumnName: 'id' })
  apiKey: ApiKey | null

  @Column('uuid', { nullable: true })
  apiKeyId: string | null = null

  @Column('text')
  action: string

  /** The IRI of the resource that the action changed. */
  @Column('text')
  target: string

  @Column('timestamp with time zone', { precision: 3 })
  at: Date = new Date()

  /** The changed properties, each as `[before, after]`. */
  @Column('jsonb')
  changes: Record<string, [before: unknown, after: unknown]> = {}

  get name(): string {
    return `${this.action} ${this.target}`
  }
}
