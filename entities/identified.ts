import { Column, ManyToOne, PrimaryColumn, VersionColumn } from 'typeorm'
import { newId } from './new-id.ts'
import type { Organization } from './organization.ts'

/** A row with an id of its own. Ids are created here and sort by age (UUIDv7, RFC 9562). */
export abstract class Identified {
  @PrimaryColumn('uuid')
  id: string = newId()

  @Column('timestamp with time zone', { precision: 3 })
  createdAt: Date = new Date()

  @Column('timestamp with time zone', { precision: 3 })
  updatedAt: Date = this.createdAt

  @VersionColumn()
  version: number
}

/** A row of one tenant. Its key begins with the organization, so that a database can be distributed by organization. */
export abstract class Owned extends Identified {
  /** Each write adds a row to "change", which the streams of the organization are fed from. */
  static readonly recorded: { tenant: string; together?: true } | undefined = { tenant: 'organizationId' }

  @ManyToOne('Organization', { nullable: false })
  organization: Organization

  @PrimaryColumn('uuid')
  organizationId: string
}

/** A row of a large collection. Totals are kept for each organization: each statement that inserts or deletes rows counts them. */
export abstract class Counted extends Owned {
  static readonly totalsBy = 'organizationId'
}
