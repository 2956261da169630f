import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A picture as it is shown: drawn anew from what was uploaded, and never changed. */
@Entity()
export class Image {
  /** The SHA-256 of its bytes, in hexadecimal. */
  @PrimaryColumn('text')
  id: string

  @Column('text')
  type: string

  @Column('integer')
  width: number

  @Column('integer')
  height: number

  @Column('bytea', { select: false })
  bytes: Buffer
}
