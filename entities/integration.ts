import { Column, Entity, Index, ManyToOne, OneToMany } from 'typeorm'
import { v4 as random } from 'uuid'
import type { BankAccount } from './bank-account.ts'
import { Owned } from './identified.ts'
import { User } from './user.ts'

/** The status of a link. An importing link is active as well. An expired link, or one in error, can only be revoked. */
export type IntegrationStatus = 'pending' | 'active' | 'importing' | 'expired' | 'error' | 'revoking' | 'revoked'

/** A link to a bank through Kontomatik's account information. Its secrets are encrypted, and read on request only. */
@Entity()
@Index('integration:open', { synchronize: false })
@Index(['redirectionId'], { unique: true })
@Index(['id'])
export class Integration extends Owned {
  @Column('text')
  provider: string = 'kontomatik'

  @Column('text')
  status: IntegrationStatus = 'pending'

  @Column('text', { nullable: true })
  target: string | null = null

  @Column('text', { nullable: true })
  officialName: string | null = null

  /** An estimate: the bank can end the consent earlier without notice. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  consentExpiresAt: Date | null = null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  lastPulledAt: Date | null = null

  /** The user who started the sign-in, and the only one who may finish it. */
  @ManyToOne(() => User)
  startedBy: User | null

  @Column('uuid', { nullable: true })
  startedById: string | null = null

  @Column('text', { nullable: true })
  redirectionId: string | null = null

  /** The bank's sign-in page, until the user has signed in. */
  @Column('text', { nullable: true })
  redirectUrl: string | null = null

  /** The end of the time for the sign-in. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  expiresAt: Date | null = null

  /** Kontomatik's id for the owner of the accounts. Each link has its own, because Kontomatik would mix links that share one. */
  @Column('uuid')
  ownerExternalId: string = random()

  @Column('text')
  accessMode: string = 'MULTIPLE'

  /** The encrypted consent, which allows further imports. */
  @Column('text', { nullable: true, select: false })
  sealedAccess: string | null

  /** The encrypted session that can start one import. It is deleted when the import starts. */
  @Column('text', { nullable: true, select: false })
  sealedSession: string | null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  sessionAt: Date | null = null

  /** The current or last import: the claim of the request that started it. */
  @Column('uuid', { nullable: true })
  pullId: string | null = null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  importingSince: Date | null = null

  /** The first day that the import was requested for. */
  @Column('date', { nullable: true })
  since: string | null = null

  /** A request to Kontomatik without a response yet. A process that dies meanwhile leaves it set. */
  @Column('text', { nullable: true })
  asked: 'session' | 'import' | null = null

  /** Sessions that the import has requested: one, and a second one if the first was lost. */
  @Column('smallint')
  sessions: number = 0

  /** The id of Kontomatik's import, until its result is stored. */
  @Column('text', { nullable: true })
  commandId: string | null = null

  @Column('integer', { nullable: true })
  imported: number | null = null

  @Column('integer', { nullable: true })
  duplicates: number | null = null

  /** Transactions of the last import that were left out because their day or amount was unreadable. */
  @Column('integer', { nullable: true })
  skipped: number | null = null

  /** Whether the last import lacks transactions: it started too late, the bank timed out, or some were left out. */
  @Column('boolean', { nullable: true })
  partial: boolean | null = null

  /** The first day of the last import. A consent that is used again covers at most 90 days. */
  @Column('date', { nullable: true })
  importedSince: string | null = null

  @Column('text', { nullable: true })
  lastErrorCode: string | null = null

  /** When the bank allows the next import; null if it is allowed now. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  nextPullAt: Date | null = null

  /** Failed attempts in a row to end the consent at Kontomatik. */
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

  /** Whether an import can start or is running. */
  get canImport(): boolean {
    return this.status === 'active' || this.status === 'importing'
  }

  /** Starts an import. An import that took too long and still has its command is continued. */
  startImport(pullId: string, since: string | null, now = new Date()): this {
    const started = { status: 'importing', pullId, importingSince: now, asked: null } as const
    const counts = { imported: null, duplicates: null, skipped: null, partial: null, lastErrorCode: null }
    return Object.assign(this, started, counts, this.commandId ? {} : { since, sessions: 0, importedSince: null })
  }

  /** Starts the end of the consent, and stops imports. */
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
