import { Column, Entity, Index } from 'typeorm'
import { Owned } from './identified.ts'

/** An attachment that the HTML of a mail shows as `cid:` and its id. */
export interface Attachment {
  cid: string
  name: string
  type: string
  /** The content in base64. */
  content: string
}

/**
 * A mail of an organization. It is stored in the transaction of the change that it reports, and a job sends it. Its text can hold
 * a token, so the text is deleted once the mail is sent, failed or withdrawn.
 */
@Entity()
@Index(['id'])
@Index(['status', 'dueAt'])
@Index(['about', 'status'])
export class OutgoingMail extends Owned {
  static override readonly recorded = undefined

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

  /** The IRI of the resource that it is about. */
  @Column('text')
  about: string

  /** `failed`: too many attempts failed. `withdrawn`: a later change made it obsolete before it was sent. */
  @Column('text')
  status: 'pending' | 'sent' | 'failed' | 'withdrawn' = 'pending'

  @Column('integer')
  attempts: number = 0

  /** Why the last attempt failed. */
  @Column('text', { nullable: true })
  error: string | null = null

  /** When the next attempt may start. It lies in the future while an attempt runs. */
  @Column('timestamp with time zone', { precision: 3, default: () => 'now()' })
  dueAt: Date

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  sentAt: Date | null = null
}
