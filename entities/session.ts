import { Column, Entity, Index, PrimaryColumn } from 'typeorm'

/** A sign-in in a browser. Of its cookie only a hash is stored, and its tokens are encrypted. */
@Entity()
@Index(['hash'], { unique: true })
@Index(['issuer', 'subject'])
@Index(['expiresAt'])
export class Session {
  @PrimaryColumn('uuid')
  id: string

  /** The SHA-256 of the cookie's value, which has 256 random bits. */
  @Column('bytea')
  hash: Buffer

  /** The user, as its token names it. A user may sign in before it is stored. */
  @Column('text')
  issuer: string

  @Column('text')
  subject: string

  /** The access token and, from a provider, the refresh token, encrypted with SECRETS_KEY. */
  @Column('text')
  sealedTokens: string

  /** When the access token expires. */
  @Column('timestamp with time zone', { precision: 3 })
  tokenExpiresAt: Date

  /** The organization that the person chose. It acts as the claim of a token does, where the token has none. */
  @Column('uuid', { nullable: true })
  organization: string | null

  /** The User-Agent of the browser: a person recognizes its sessions by it. */
  @Column('text', { nullable: true })
  browser: string | null

  @Column('timestamp with time zone', { precision: 3 })
  createdAt: Date

  /** When a request last used it, within five minutes. */
  @Column('timestamp with time zone', { precision: 3 })
  usedAt: Date

  @Column('timestamp with time zone', { precision: 3 })
  expiresAt: Date
}
