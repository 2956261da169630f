import { Column, Entity, PrimaryColumn } from 'typeorm'

/** An image as it is served: re-encoded from the upload, and never changed. */
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
