import { Column, Entity, Index, ManyToOne, OneToMany } from 'typeorm'
import { v4 as random } from 'uuid'
import type { BankAccount } from './bank-account.ts'
import { Owned } from './identified.ts'
import { User } from './user.ts'

/** What becomes of a link; while it is importing it is active as well, and one that is expired or in error can only be revoked. */
export type IntegrationStatus = 'pending' | 'active' | 'importing' | 'expired' | 'error' | 'revoking' | 'revoked'

/** A link to a bank through Kontomatik's account information. What opens it is sealed, and not read unless asked for. */
@Entity()
@Index('integration:open', { synchronize: false })
@Index(['redirectionId'], { unique: true })
export class Integration extends Owned {
  @Column('text')
  provider: string = 'kontomatik'

  @Column('text')
  status: IntegrationStatus = 'pending'

  @Column('text', { nullable: true })
  target: string | null = null

  @Column('text', { nullable: true })
  officialName: string | null = null

  /** An estimate: the bank may end it earlier, and does not tell. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  consentExpiresAt: Date | null = null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  lastPulledAt: Date | null = null

  /** Whoever began to sign in, and alone may finish. */
  @ManyToOne(() => User)
  startedBy: User | null

  @Column('uuid', { nullable: true })
  startedById: string | null = null

  @Column('text', { nullable: true })
  redirectionId: string | null = null

  /** Where to sign in, as long as that is to be done. */
  @Column('text', { nullable: true })
  redirectUrl: string | null = null

  /** Until when one may sign in. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  expiresAt: Date | null = null

  /** As whom Kontomatik knows the owner of the accounts: one for each link, as it would mix them. */
  @Column('uuid')
  ownerExternalId: string = random()

  @Column('text')
  accessMode: string = 'MULTIPLE'

  /** The consent to read again. */
  @Column('text', { nullable: true, select: false })
  sealedAccess: string | null

  /** What one import may be started with; forgotten once it is. */
  @Column('text', { nullable: true, select: false })
  sealedSession: string | null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  sessionAt: Date | null = null

  /** The pull that runs, or ran last: the claim of the request that began it. */
  @Column('uuid', { nullable: true })
  pullId: string | null = null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  importingSince: Date | null = null

  /** From which day on it was asked to import. */
  @Column('date', { nullable: true })
  since: string | null = null

  /** What was asked of Kontomatik and not answered yet: whoever dies then leaves this behind. */
  @Column('text', { nullable: true })
  asked: 'session' | 'import' | null = null

  /** How many sessions the pull has asked for: one, and another if that was lost. */
  @Column('smallint')
  sessions: number = 0

  /** Kontomatik's import; kept until its result has been taken over. */
  @Column('text', { nullable: true })
  commandId: string | null = null

  @Column('integer', { nullable: true })
  imported: number | null = null

  @Column('integer', { nullable: true })
  duplicates: number | null = null

  /** How many lines of the last import had no readable day or amount and were left out. */
  @Column('integer', { nullable: true })
  skipped: number | null = null

  /** Whether the last import lacks lines: it started too late, the bank ran into a timeout, or some were left out. */
  @Column('boolean', { nullable: true })
  partial: boolean | null = null

  /** The day that the last import started from. A consent that is used again shows at most 90 days. */
  @Column('date', { nullable: true })
  importedSince: string | null = null

  @Column('text', { nullable: true })
  lastErrorCode: string | null = null

  /** When the bank allows the next import, if not at once. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  nextPullAt: Date | null = null

  /** How often in a row Kontomatik could not be told to end the consent. */
  @Column('integer')
  failures: number = 0

  @OneToMany('BankAccount', 'integration')
  accounts: BankAccount[]

  get name(): string {
    return this.officialName ?? this.target ?? this.provider
  }

  get lastError(): { code: string } | null {
    return this.lastErrorCode ? { code: this.lastErrorCode } : null
  }

  /** Whether it can be imported from, or is just now. */
  get canImport(): boolean {
    return this.status === 'active' || this.status === 'importing'
  }

  /** Begins to import; what is left of an import that took too long is gone on with. */
  startImport(pullId: string, since: string | null, now = new Date()): this {
    const begun = { status: 'importing', pullId, importingSince: now, asked: null } as const
    const counts = { imported: null, duplicates: null, skipped: null, partial: null, lastErrorCode: null }
    return Object.assign(this, begun, counts, this.commandId ? {} : { since, sessions: 0, importedSince: null })
  }

  /** Is to end; nothing is imported any more. */
  startRevocation(): this {
    return Object.assign(this, {
      status: 'revoking',
      commandId: null,
      redirectUrl: null,
      failures: 0,
      lastErrorCode: null,
    })
  }
}
