import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Request, type Response, Router } from 'express'
import type { DataSource } from 'typeorm'
import { OrganizationExport } from '../../entities/index.ts'
import { record } from '../audit/audit-log.ts'
import {
  type AccessControl,
  authenticate,
  type FairPool,
  methodNotAllowed,
  Problem,
  TenantScope,
} from '../hydra/index.ts'
import { readParts } from './archive-parts.ts'

const path = '/organization-exports/:id/archive'

/** Serves archives to owners. A range is not supported, so an interrupted download starts again. */
export function archiveRoutes(access: AccessControl, database: DataSource, pool: FairPool): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.get(path, async (request, response) => {
    response.setHeader('Cache-Control', 'private, no-store')
    const { id } = request.params
    const caller = await ownerOf(access, request, response)
    const scope = TenantScope.of(caller.tenant)
    const { manager } = pool.within(database, caller.tenant, scope)
    const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
    const found = isId ? await manager.findOneBy(OrganizationExport, { organizationId: caller.tenant, id }) : null
    if (!found?.archive || found.size === null)
      throw new Problem(404, 'Not found: no such archive exists, or it was deleted.')
    const isDownload = request.method !== 'HEAD'
    if (isDownload)
      await manager.transaction((manager) =>
        record({
          by: { manager, tenant: caller.tenant, caller },
          action: 'organizationExport.download',
          target: `/organization-exports/${id}`,
          changes: { downloaded: [null, found.name] },
        }),
      )
    response.writeHead(200, {
      'Content-Type': 'application/zip',
      'Content-Disposition': `attachment; filename="${found.name}"`,
      'Content-Length': found.size,
    })
    if (!isDownload) return response.end()
    const parts = readParts(pool.of(caller.tenant, undefined, scope), { ...found, size: found.size })
    // A client that leaves, and an archive that expires, end the connection: the length then tells that bytes are missing.
    return pipeline(Readable.from(parts, { objectMode: false }), response).catch(() => response.destroy())
  })
  methodNotAllowed(router, path)
  return router
}

/** @throws Problem 401 without a token, 403 for other roles than owner */
async function ownerOf(access: AccessControl, request: Request, response: Response) {
  const { role, user, tenant, program, reason } = await authenticate(access, request, response)
  if (role === 'anonymous')
    throw new Problem(401, 'This needs a bearer token: send it as "Authorization: Bearer …".', {
      'WWW-Authenticate': 'Bearer',
    })
  if (role !== 'owner' || !tenant) throw new Problem(403, reason ?? `This is for the role owner; yours is ${role}.`)
  return { user, tenant, program }
}
