import { Column, Entity, Index, ManyToOne } from 'typeorm'
import { Owned } from './identified.ts'
import { User } from './user.ts'

/** What somebody did that destroys or bills: written with the deed, never changed. */
@Entity()
@Index(['organizationId', 'at', 'id'])
@Index(['actorId'])
export class AuditEvent extends Owned {
  @ManyToOne(() => User, { nullable: false })
  actor: User

  @Column('uuid')
  actorId: string

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
