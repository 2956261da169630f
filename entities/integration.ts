import { Column, Entity } from 'typeorm'
import { Owned } from './identified.ts'

/** A link to a bank through Kontomatik's account information. */
@Entity()
export class Integration extends Owned {
  @Column('text')
  provider: string = 'kontomatik'

  @Column('text')
  status: string = 'pending'

  @Column('text', { nullable: true })
  target: string | null = null

  @Column('text', { nullable: true })
  officialName: string | null = null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  consentExpiresAt: Date | null = null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  lastPulledAt: Date | null = null

  get name(): string {
    return this.officialName ?? this.target ?? this.provider
  }
}
