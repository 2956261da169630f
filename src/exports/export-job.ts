import type { Logger } from 'pino'
import { type DataSource, type EntityManager, In } from 'typeorm'
import { Image, Organization, OrganizationExport } from '../../entities/index.ts'
import { type Executor, TenantScope } from '../hydra/index.ts'
import { enqueueExportMails } from '../mail/export-mail.ts'
import { withSessionLock } from '../postgres/locks.ts'
import { archiveOf, type WholeCollection } from './archive.ts'
import { deleteParts, storeParts } from './archive-parts.ts'
import { enqueueExport, writeExport } from './export-rows.ts'

/** The parts of exports that the application knows. */
export interface ExportSource {
  publicUrl: string
  /** Whether this server has pages, which mails link to. */
  hasPages: boolean
  /** All that an owner of the organization sees. */
  collections(organization: string): WholeCollection[]
}

const dayMs = 24 * 60 * 60 * 1000

/** How long an archive is kept. */
export const keptDays = 7

/** An export whose jobs fail this often is marked `failed`. */
const maxAttempts = 5

/** Exports that run at the same time. Each holds a snapshot and two of the connections for jobs. */
const slots = 2

/** The delay of the next try while another export of the same slot runs. */
const slotRetrySeconds = 5

/** The least time between two writes of the progress. */
const progressMs = 1000

/**
 * Makes the archive of an organization. After a crash the job starts again from the beginning, and replaces what it has stored.
 * An organization always has the same slot, so its lock also keeps two jobs from making one archive at the same time.
 * @param source made with the first export
 */
export function exportOrganization(
  database: DataSource,
  source: (database: DataSource) => ExportSource,
  log: Pick<Logger, 'error'>,
) {
  let opened: ExportSource | undefined
  return async (key: Pick<OrganizationExport, 'organizationId' | 'id'>): Promise<void> => {
    const { organizationId, id } = key
    const own = TenantScope.of(organizationId).view(database)
    const slot = Number.parseInt(organizationId.slice(-4), 16) % slots
    const outcome = await withSessionLock<'busy' | 'done'>(own, `exports ${slot}`, 'busy', async (connection) => {
      const found = await own.manager.findOneBy(OrganizationExport, { organizationId, id })
      if (!found || found.status === 'ready' || found.status === 'failed') return 'done'
      opened ??= source(database)
      await run(own, connection, opened, found, log)
      return 'done'
    })
    if (outcome === 'busy') await enqueueExport(own, key, slotRetrySeconds)
  }
}

/** @param connection the session that holds the lock; it also holds the snapshot */
async function run(
  database: DataSource,
  connection: EntityManager,
  source: ExportSource,
  before: OrganizationExport,
  log: Pick<Logger, 'error'>,
): Promise<void> {
  const { manager } = database
  if (before.attempts >= maxAttempts) return giveUp(manager, before)
  const attempts = before.attempts + 1
  const current = { organizationId: before.organizationId, id: before.id, attempts }
  await writeExport(manager, current, { status: 'running', progress: 0, attempts })
  await deleteParts(manager, current)
  const progress = progressWriter(manager, current)
  try {
    const size = await connection.transaction('REPEATABLE READ', async (snapshot) => {
      await snapshot.query('SET TRANSACTION READ ONLY')
      const content = { publicUrl: source.publicUrl, ...(await contentOf(snapshot, source, current.organizationId)) }
      const executor: Executor = await (snapshot.queryRunner as NonNullable<EntityManager['queryRunner']>).connect()
      const archive = await archiveOf(content, executor, progress.write)
      return storeParts(manager, current, archive)
    })
    await progress.end()
    await finish(database, source, current, size)
  } catch (error) {
    await progress.end()
    log.error({ err: error, organization: current.organizationId, attempts }, 'could not export an organization')
    if (attempts < maxAttempts) throw error
    await giveUp(manager, current)
  }
}

/** Marks an export as failed. One that ends its process is not caught, so its next run does that. */
async function giveUp(
  manager: EntityManager,
  current: Pick<OrganizationExport, 'organizationId' | 'id' | 'attempts'>,
): Promise<void> {
  await deleteParts(manager, current)
  await writeExport(manager, current, { status: 'failed', expiresAt: expiry() })
}

async function contentOf(snapshot: EntityManager, source: ExportSource, organizationId: string) {
  const organization = await snapshot.findOneByOrFail(Organization, { id: organizationId })
  const { logoId, iconId } = organization
  const ids = [logoId, iconId].filter((id) => id !== null)
  const select = { id: true, type: true, bytes: true } as const
  const found = await snapshot.find(Image, { select, where: { id: In(ids) } })
  const images = (['logo', 'icon'] as const).flatMap((name): [string, Image][] => {
    const image = found.find(({ id }) => id === organization[`${name}Id`])
    return image ? [[name, image]] : []
  })
  return { organization, at: new Date(), collections: source.collections(organizationId), images }
}

/** Stores the progress, once a second at most. Failed writes do not end the export. */
function progressWriter(manager: EntityManager, current: Pick<OrganizationExport, 'organizationId' | 'id'>) {
  let next = Date.now() + progressMs
  let last = Promise.resolve()
  return {
    write(part: number): void {
      if (Date.now() < next) return
      next = Date.now() + progressMs
      const progress = Math.min(99, Math.floor(part * 100))
      last = last.then(() => writeExport(manager, current, { progress })).catch(() => {})
    },
    /** Waits for the writes that have begun: a late one would replace the last state of the export. */
    async end(): Promise<void> {
      next = Number.POSITIVE_INFINITY
      await last
    },
  }
}

async function finish(
  database: DataSource,
  { publicUrl, hasPages }: ExportSource,
  { organizationId, id }: Pick<OrganizationExport, 'organizationId' | 'id'>,
  size: number,
): Promise<void> {
  await database.transaction(async (manager) => {
    const values = { status: 'ready', progress: 100, size, finishedAt: new Date(), expiresAt: expiry() } as const
    await writeExport(manager, { organizationId, id }, values)
    const made = await manager.findOneByOrFail(OrganizationExport, { organizationId, id })
    await enqueueExportMails(manager, made, { publicUrl, hasPages })
  })
}

function expiry(): Date {
  return new Date(Date.now() + keptDays * dayMs)
}
