import { buffer } from 'node:stream/consumers'
import { fromBuffer } from 'yauzl'
import { OrganizationExport } from '../../entities/index.ts'
import { jobs } from '../support/jobs.ts'
import { openWorld, type Tenant } from '../support/world.ts'

const { as, database } = await openWorld()

/** Requests an export and runs its job. @returns the document of the export */
export async function exported({ users }: Tenant): Promise<Record<string, never>> {
  const owner = as(users.owner)
  const { body } = await owner.post('/organizations/export').expect(202)
  const { organizationId, id } = await database.manager.findOneByOrFail(OrganizationExport, { id: body.id })
  await jobs.exportOrganization({ organizationId, id })
  return (await owner.get(body['@id']).expect(200)).body
}

/** The files of an archive by name. */
export async function unzip(bytes: Buffer): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {}
  const zip = await new Promise<import('yauzl').ZipFile>((resolve, reject) =>
    fromBuffer(bytes, { lazyEntries: true }, (error, opened) => (error ? reject(error) : resolve(opened))),
  )
  const ended = new Promise<void>((resolve, reject) => zip.once('end', resolve).once('error', reject))
  zip.on('entry', (entry) =>
    zip.openReadStream(entry, async (_, stream) => {
      files[entry.fileName] = await buffer(stream)
      zip.readEntry()
    }),
  )
  zip.readEntry()
  await ended
  return files
}

/** Downloads the archive of an export as its owner. */
export async function download({ users }: Tenant, archive: string): Promise<Record<string, Buffer>> {
  const { body } = await as(users.owner).get(archive).responseType('blob').expect(200)
  return unzip(body)
}
