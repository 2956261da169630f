import { ArrayMaxSize, ArrayUnique, IsArray, IsBoolean, IsIn, IsString, Length, ValidateIf } from 'class-validator'
import { Column, Entity, Index, ManyToOne } from 'typeorm'
import { auditActions } from './audit-actions.ts'
import { Owned } from './identified.ts'
import { IsName } from './single-line.ts'
import { User } from './user.ts'

/** Stands for all events, also those that a later version adds. */
const allEvents = '*'

/**
 * Why an endpoint gets no events: a receiver that answered 410, days of failures, or the end of its creator's rights. The closing of
 * the organization is a reason, too.
 */
export type DisabledReason = 'gone' | 'failing' | 'creatorLeft' | 'organizationClosed'

/** An address to which the events of an organization are sent. Its secret signs them, so it is encrypted and not hashed. */
@Entity()
@Index(['createdById'])
export class WebhookEndpoint extends Owned {
  @Column('text')
  @IsString()
  @Length(1, 2000)
  url: string

  /** By default the host of its URL. */
  @Column('text')
  @ValidateIf((_, value) => value !== undefined)
  @IsString()
  @Length(1, 255)
  @IsName()
  name: string

  /** The names of events of the audit log, or `*`. An empty list, which RDF cannot tell from an absent one, stands for none. */
  @Column('text', { array: true })
  @ValidateIf((_, value) => value !== undefined)
  @IsArray()
  @ArrayMaxSize(100)
  @ArrayUnique()
  @IsIn([allEvents, ...auditActions], { each: true })
  events: string[] = [allEvents]

  /** The role as which its events are read. */
  @Column('text')
  @ValidateIf((_, value) => value !== undefined)
  @IsIn(['admin', 'owner'])
  role: 'admin' | 'owner' = 'admin'

  @Column('boolean')
  @ValidateIf((_, value) => value !== undefined)
  @IsBoolean()
  enabled: boolean = true

  /** Null while it is enabled, and where a person has disabled it. */
  @Column('text', { nullable: true })
  disabledReason: DisabledReason | null = null

  @ManyToOne(() => User, { nullable: false })
  createdBy: User

  @Column('uuid')
  createdById: string

  /** When it last accepted a delivery, within a minute. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  lastDeliveredAt: Date | null = null

  /** The first failure since it last accepted a delivery. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  failingSince: Date | null = null

  @Column('text', { select: false })
  sealedSecret: string

  /** The secret before the last renewal, which signs too until `formerSecretUntil`. */
  @Column('text', { nullable: true, select: false })
  sealedFormerSecret: string | null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  formerSecretUntil: Date | null = null

  /** The secret itself. Only the response that creates or renews it has it. */
  private issued?: string

  get secret(): string | null {
    return this.issued ?? null
  }

  get status(): 'active' | 'failing' | 'disabled' {
    if (!this.enabled) return 'disabled'
    return this.failingSince ? 'failing' : 'active'
  }

  /** Sets the secret, and the sealed form that is stored. */
  issue(secret: string, sealed: string): this {
    this.issued = secret
    this.sealedSecret = sealed
    return this
  }

  /** Makes the other columns agree with `enabled`: only a disabled endpoint has a reason, and only an enabled one fails. */
  settle(): this {
    if (this.enabled) this.disabledReason = null
    else this.failingSince = null
    return this
  }
}
