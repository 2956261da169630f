import { Column, Entity, Index } from 'typeorm'
import { Owned } from './identified.ts'

/** The modules that a subscription can include. */
export const catalogue = ['planning', 'banking', 'invoicing', 'reporting']

/** A module of the suite, and whether an organization has it. */
@Entity()
@Index(['organizationId', 'name'], { unique: true })
export class OrganizationModule extends Owned {
  @Column('text')
  name: string

  @Column('boolean')
  enabled: boolean = false

  /** The subscription or the operator, whichever enabled or disabled it last. */
  @Column('text', { nullable: true })
  source: 'subscription' | 'operator' | null = null

  @Column('integer', { nullable: true })
  limit: number | null = null
}
