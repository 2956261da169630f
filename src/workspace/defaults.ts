import type { EntityManager } from 'typeorm'
import { Language, MailFooter, OrganizationConfig, OrganizationModule } from '../../entities/index.ts'
import { catalogue } from '../../entities/organization-module.ts'
import { settings } from '../../entities/settings.ts'
import { writeRows } from '../hydra/index.ts'

export type DefaultSet = 'configuration' | 'mailFooter' | 'languages' | 'modules'

/** The rows of a new organization, by the names that its `databaseStatus` shows. */
const defaultRows: Record<DefaultSet, () => object[]> = {
  configuration: () =>
    Object.entries(settings).map(([key, setting]) =>
      Object.assign(new OrganizationConfig(), { key, value: setting.default }),
    ),
  mailFooter: () => [new MailFooter()],
  languages: () => ['nl', 'en'].map((id) => Object.assign(new Language(), { id })),
  modules: () => catalogue.map((name) => Object.assign(new OrganizationModule(), { name })),
}

/**
 * Inserted in the transaction that creates the organization: validation reads the settings, the mail footer's URL must answer,
 * and the organization must have a language. A job inserts the other sets, so lists may be shorter until then.
 */
export const initialSets: DefaultSet[] = ['configuration', 'mailFooter', 'languages']

export const provisionedSets: DefaultSet[] = ['modules']

/** All default rows, without an organization. */
export function defaultSets(): object[] {
  return [...initialSets, ...provisionedSets].flatMap((set) => defaultRows[set]())
}

/** Inserts a set of defaults; rows that exist stay unchanged. */
export async function insertDefaults(manager: EntityManager, organizationId: string, set: DefaultSet): Promise<void> {
  const rows = defaultRows[set]().map((row) =>
    Object.assign(row, { organizationId }, 'version' in row && { version: 1 }),
  )
  const insert = manager
    .createQueryBuilder()
    .insert()
    .into(rows[0].constructor as never)
    .values(rows as never)
  await writeRows(manager, insert.orIgnore().updateEntity(false))
}
