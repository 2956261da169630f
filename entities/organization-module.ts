import { Column, Entity, Index } from 'typeorm'
import { Owned } from './identified.ts'

/** What can be subscribed to. */
export const catalogue = ['planning', 'banking', 'invoicing', 'reporting']

/** A part of the suite that an organization has, or could have. */
@Entity()
@Index(['organizationId', 'name'], { unique: true })
export class OrganizationModule extends Owned {
  @Column('text')
  name: string

  @Column('boolean')
  enabled: boolean = false

  /** Who enabled it: the subscription, or the operator. */
  @Column('text', { nullable: true })
  source: 'subscription' | 'operator' | null = null

  @Column('integer', { nullable: true })
  limit: number | null = null
}
