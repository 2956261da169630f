import { Column, Entity, Index, PrimaryColumn } from 'typeorm'

/** A POST with an Idempotency-Key: its caller, its key, a fingerprint of the request, and the response once it exists. */
@Entity()
@Index(['createdAt'])
export class IdempotencyKey {
  /** A digest of the issuer, the subject and the organization that the caller's token names. */
  @PrimaryColumn('text')
  caller: string

  @PrimaryColumn('text')
  key: string

  /** The idempotency key for calls to outside services; it stays the same when the request is resumed. */
  @Column('uuid')
  claim: string

  /** A digest of the method, the path and the body. */
  @Column('text')
  fingerprint: string

  /** The organization that the caller acted for. A caller can act for another one later. */
  @Column('uuid', { nullable: true })
  tenant: string | null

  @Column('timestamp with time zone', { precision: 3 })
  createdAt: Date

  /** When a process last started to answer it. */
  @Column('timestamp with time zone', { precision: 3 })
  claimedAt: Date

  /** The response; null until it exists. The type `json` keeps the order of its properties. */
  @Column('json', { nullable: true })
  answer: object | null
}
