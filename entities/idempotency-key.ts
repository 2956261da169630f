import { Column, Entity, Index, PrimaryColumn } from 'typeorm'

/** A POST that its client may repeat without harm: who sent what under which key, and what it was answered. */
@Entity()
@Index(['createdAt'])
export class IdempotencyKey {
  /** A digest of the issuer, the subject and the organization that the caller's token names. */
  @PrimaryColumn('text')
  caller: string

  @PrimaryColumn('text')
  key: string

  /** What calls to the outside are made under; the same again when the request is resumed. */
  @Column('uuid')
  claim: string

  /** A digest of the method, the path and the body. */
  @Column('text')
  fingerprint: string

  /** The organization that the caller acted for, who may act for another by now. */
  @Column('uuid', { nullable: true })
  tenant: string | null

  @Column('timestamp with time zone', { precision: 3 })
  createdAt: Date

  /** When somebody last set about answering it. */
  @Column('timestamp with time zone', { precision: 3 })
  claimedAt: Date

  /** As text, since the order of its keys is kept; null while it is not answered. */
  @Column('json', { nullable: true })
  answer: object | null
}
