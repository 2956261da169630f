import { Column, Entity, Index, ManyToOne } from 'typeorm'
import { Owned } from './identified.ts'
import { User } from './user.ts'

/** What was done that destroys or bills: written with the deed, never changed. */
@Entity()
@Index(['organizationId', 'at', 'id'])
@Index(['organizationId', 'action', 'id'])
@Index(['organizationId', 'target', 'id'])
@Index(['organizationId', 'actorId', 'id'])
export class AuditEvent extends Owned {
  /** Whoever did it; null where the service did by itself, or Stripe. */
  @ManyToOne(() => User)
  actor: User | null

  @Column('uuid', { nullable: true })
  actorId: string | null = null

  @Column('text')
  action: string

  /** The IRI of what was acted on. */
  @Column('text')
  target: string

  @Column('timestamp with time zone', { precision: 3 })
  at: Date = new Date()

  /** The properties that changed, each as `[before, after]`. */
  @Column('jsonb')
  changes: Record<string, [before: unknown, after: unknown]> = {}

  get name(): string {
    return `${this.action} ${this.target}`
  }
}
