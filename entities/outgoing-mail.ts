import { Column, Entity, Index } from 'typeorm'
import { Owned } from './identified.ts'

/** What goes along with a mail and is shown in its HTML, as `cid:` and its id. */
export interface Attachment {
  cid: string
  name: string
  type: string
  /** In base64. */
  content: string
}

/**
 * A mail that an organization sends, written together with what it tells of and sent by the queue. What it says may open
 * doors, so that is kept only until it is sent, or will not be.
 */
@Entity()
@Index(['status', 'dueAt'])
@Index(['about', 'status'])
export class OutgoingMail extends Owned {
  @Column('text')
  recipient: string

  @Column('text')
  subject: string

  @Column('text', { nullable: true })
  html: string | null

  @Column('text', { nullable: true })
  text: string | null

  @Column('jsonb')
  attachments: Attachment[] = []

  /** The IRI of what it tells of. */
  @Column('text')
  about: string

  /** `failed` is put aside after too many attempts; `withdrawn` was overtaken by events before it was sent. */
  @Column('text')
  status: 'pending' | 'sent' | 'failed' | 'withdrawn' = 'pending'

  @Column('integer')
  attempts: number = 0

  /** Why the last attempt failed. */
  @Column('text', { nullable: true })
  error: string | null = null

  /** When it may be tried next; ahead while somebody is at it. */
  @Column('timestamp with time zone', { precision: 3, default: () => 'now()' })
  dueAt: Date

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  sentAt: Date | null = null
}
