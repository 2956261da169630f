import { type EntityManager, In, MoreThan } from 'typeorm'
import { type Organization, OrganizationExport } from '../../../entities/index.ts'
import { record } from '../../audit/audit-log.ts'
import { enqueueExport } from '../../exports/export-rows.ts'
import { Accepted, type Operation, Problem } from '../../hydra/index.ts'
import { lockOrganization } from '../../postgres/locks.ts'

/** Exports that an organization may make in a day: each reads all of its rows. */
const maxDaily = 3
const dayMs = 24 * 60 * 60 * 1000

/** The Retry-After of the response: small archives take a moment. */
const retrySeconds = 2

export const exportData: Operation<Organization> = {
  name: 'export',
  method: 'POST',
  path: '/export',
  title: () => 'Export all data of an organization',
  subject: 'OrganizationExport',
  description:
    'A job makes a ZIP file with all that an owner can read, as JSON-LD and as CSV, with the audit log and the images. The ' +
    'response is 202 with the export, whose "progress" and "status" change. Owners get a mail when it is ready; it is kept ' +
    'for seven days. A request while an export runs returns that one. 429 refuses more than three exports in 24 hours. It is ' +
    'allowed while the organization is suspended or closed.',
  returns: 'item',
  members: OrganizationExport,
  statuses: [202, 400, 413, 415, 422],
  sensitive: 'hour',
  link: { name: 'export' },
  handle: (call) =>
    call.unitOfWork.transaction(async () => {
      const { manager, tenant, user } = call
      // The lock keeps two requests at once from starting two exports.
      await lockOrganization(manager, tenant)
      const running = await runningExport(manager, tenant)
      if (running) return new Accepted(running, retrySeconds)
      await requireFewToday(manager, tenant)
      const started = Object.assign(new OrganizationExport(), { organizationId: tenant, requestedById: user })
      await call.unitOfWork.insert(started)
      await record({
        by: call,
        action: 'organization.export',
        target: `/organization-exports/${started.id}`,
        changes: { export: [null, started.name] },
      })
      await enqueueExport(manager, started)
      return new Accepted(started, retrySeconds)
    }),
}

function runningExport(manager: EntityManager, organizationId: string): Promise<OrganizationExport | null> {
  return manager.findOneBy(OrganizationExport, { organizationId, status: In(['pending', 'running']) })
}

/** @throws Problem 429 after the exports of a day */
async function requireFewToday(manager: EntityManager, organizationId: string): Promise<void> {
  const recent = await manager.find(OrganizationExport, {
    where: { organizationId, createdAt: MoreThan(new Date(Date.now() - dayMs)) },
    order: { createdAt: 'DESC' },
    take: maxDaily,
  })
  const oldest = recent[maxDaily - 1]
  if (!oldest) return
  const seconds = Math.ceil((oldest.createdAt.getTime() + dayMs - Date.now()) / 1000)
  throw new Problem(
    429,
    `An organization can be exported ${maxDaily} times in 24 hours. Download an earlier archive.`,
    {
      'Retry-After': `${Math.max(1, seconds)}`,
    },
  )
}
