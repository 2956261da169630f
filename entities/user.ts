import { Column, Entity, Index } from 'typeorm'
import { Identified } from './identified.ts'

/** A person who signs in; who that is, is told by the issuer and the subject of a token (RFC 7519). */
@Entity()
@Index(['issuer', 'subject'], { unique: true })
export class User extends Identified {
  @Column('text')
  issuer: string

  @Column('text')
  subject: string

  @Column('text')
  name: string

  @Column('text', { nullable: true })
  email: string | null = null

  @Column('text', { nullable: true })
  locale: string | null = null

  /** Runs the service itself and stands outside every tenant. */
  @Column('boolean')
  operator: boolean = false
}
