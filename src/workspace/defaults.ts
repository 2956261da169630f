import type { EntityManager } from 'typeorm'
import { Language, MailFooter, OrganizationConfig, OrganizationModule } from '../../entities/index.ts'
import { catalogue } from '../../entities/organization-module.ts'
import { settings } from '../../entities/settings.ts'

export type DefaultSet = 'configuration' | 'mailFooter' | 'languages' | 'modules'

/** What an organization starts with, by the names under which it is told how far its setting up has come. */
const pieces: Record<DefaultSet, () => object[]> = {
  configuration: () =>
    Object.entries(settings).map(([key, setting]) =>
      Object.assign(new OrganizationConfig(), { key, value: setting.default }),
    ),
  mailFooter: () => [new MailFooter()],
  languages: () => ['nl', 'en'].map((id) => Object.assign(new Language(), { id })),
  modules: () => catalogue.map((name) => Object.assign(new OrganizationModule(), { name })),
}

/**
 * The pieces that are there from the first moment on: rules read the settings, the mail footer has an address that must
 * answer, and nobody is ever without a language. The others are put up by a job, and lists are shorter until then.
 */
export const immediate: DefaultSet[] = ['configuration', 'mailFooter', 'languages']

export const later: DefaultSet[] = ['modules']

/** Everything that an organization starts with, not yet its own. */
export function defaultSets(): object[] {
  return [...immediate, ...later].flatMap((piece) => pieces[piece]())
}

/** Puts up a piece; what is there already, as somebody else has put it there, stays as it is. */
export async function insertDefaults(manager: EntityManager, organizationId: string, piece: DefaultSet): Promise<void> {
  const rows = pieces[piece]().map((row) => Object.assign(row, { organizationId }, 'version' in row && { version: 1 }))
  await manager
    .createQueryBuilder()
    .insert()
    .into(rows[0].constructor as never)
    .values(rows as never)
    .orIgnore()
    .updateEntity(false)
    .execute()
}
