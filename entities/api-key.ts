import { Transform } from 'class-transformer'
import { IsDate, IsIn, IsString, Length, ValidateIf } from 'class-validator'
import { Column, Entity, Index, ManyToOne } from 'typeorm'
import { Owned } from './identified.ts'
import { parseInstant } from './instant.ts'
import { IsName } from './single-line.ts'
import { User } from './user.ts'

/** A key with which a program acts for the organization. Only a hash of its secret is stored. */
@Entity()
@Index(['hash'], { unique: true })
@Index(['createdById'])
export class ApiKey extends Owned {
  @Column('text')
  @IsString()
  @Length(1, 255)
  @IsName()
  name: string

  @Column('text')
  @ValidateIf((_, value) => value !== undefined)
  @IsIn(['member', 'admin'])
  role: 'member' | 'admin' = 'member'

  @Column('timestamp with time zone', { precision: 3 })
  @Transform(parseInstant)
  @ValidateIf((_, value) => value !== undefined)
  @IsDate()
  expiresAt: Date

  @ManyToOne(() => User, { nullable: false })
  createdBy: User

  @Column('uuid')
  createdById: string

  /** The prefix and the last four characters of the secret, by which people recognize it. */
  @Column('text')
  hint: string

  /** When a request last used it, within a minute. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  lastUsedAt: Date | null = null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  revokedAt: Date | null = null

  /** The SHA-256 of the secret. */
  @Column('bytea', { select: false })
  hash: Buffer

  /** The secret itself. Only the response that creates the key has it, because it is not stored. */
  private issued?: string

  get secret(): string | null {
    return this.issued ?? null
  }

  get status(): 'active' | 'revoked' | 'expired' {
    if (this.revokedAt) return 'revoked'
    return this.expiresAt <= new Date() ? 'expired' : 'active'
  }

  /** Sets the secret, its hash and its hint. Only the hash and the hint are stored. */
  issue(secret: string, hash: Buffer, hint: string): this {
    this.issued = secret
    this.hash = hash
    this.hint = hint
    return this
  }

  /** Ends the key: its secret stops working. */
  revoke(): this {
    this.revokedAt = new Date()
    return this
  }
}
