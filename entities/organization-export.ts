import { Column, Entity, Index, ManyToOne } from 'typeorm'
import { Owned } from './identified.ts'
import { User } from './user.ts'

/** The driver reads a bigint as text. No archive has 2^53 bytes. */
const bytes = { from: (text: string | null) => (text === null ? null : Number(text)), to: (value: unknown) => value }

/** An archive of all data of an organization. A job makes it, and another deletes it when its time is over. */
@Entity()
@Index(['expiresAt'])
export class OrganizationExport extends Owned {
  @Column('text')
  status: 'pending' | 'running' | 'ready' | 'failed' = 'pending'

  /** The part of the work that is done, in percent. */
  @Column('integer')
  progress: number = 0

  /** The bytes of the archive. */
  @Column('bigint', { nullable: true, transformer: bytes })
  size: number | null = null

  @ManyToOne(() => User, { nullable: false })
  requestedBy: User

  @Column('uuid')
  requestedById: string

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  finishedAt: Date | null = null

  /** When the archive and this row are deleted. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  expiresAt: Date | null = null

  /** How often a job has started it. */
  @Column('integer')
  attempts: number = 0

  /** The name of the archive as a file. */
  get name(): string {
    return `export-${this.createdAt.toISOString().slice(0, 16).replace(':', '')}.zip`
  }

  /** The path of the archive; null while there is none. */
  get archive(): string | null {
    return this.status === 'ready' ? `/organization-exports/${this.id}/archive` : null
  }
}
