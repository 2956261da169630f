import { Validate, ValidateIf } from 'class-validator'
import { Column, Entity, Index } from 'typeorm'
import { Owned } from './identified.ts'
import { SettingValue, settings } from './settings.ts'

/** A setting of an organization. */
@Entity()
@Index(['organizationId', 'key'], { unique: true })
export class OrganizationConfig extends Owned {
  @Column('text')
  key: string

  @Column('jsonb', { nullable: true })
  @ValidateIf((_, value) => value !== undefined)
  @Validate(SettingValue)
  value: unknown

  get name(): string {
    return this.key
  }

  get default(): unknown {
    return settings[this.key]?.default ?? null
  }
}
