import { Readable } from 'node:stream'
import type { Image, Organization } from '../../entities/index.ts'
import type { Api, Executor } from '../hydra/index.ts'
import { readme } from './readme.ts'

/** A collection with all rows that an owner sees. */
export type WholeCollection = ReturnType<Api['wholeCollections']>[number]

/** The content of an archive, and the moment that it shows. */
export interface ArchiveContent {
  organization: Pick<Organization, 'id' | 'name' | 'slug'>
  publicUrl: string
  at: Date
  collections: WholeCollection[]
  /** The logo and the icon, by these names. */
  images: [name: string, image: Pick<Image, 'type' | 'bytes'>][]
}

/**
 * Writes a ZIP file while it is read, so that memory holds some rows of one collection at most.
 * @param executor the connection of one snapshot: each collection is read twice, and both files must have the same rows
 * @param progress called with the done part of all rows, from 0 to 1
 */
export async function archiveOf(
  content: ArchiveContent,
  executor: Executor,
  progress: (part: number) => void,
): Promise<Readable> {
  // Few processes make archives.
  const { default: yazl } = await import('yazl')
  const { collections, images, at: mtime } = content
  const counts = await inTurn(collections, (collection) => collection.count(executor))
  const all = 2 * counts.reduce((sum, rows) => sum + rows, 0)
  let done = 0
  const written = (rows: number) => {
    done += rows
    progress(done / all)
  }
  const zip = new yazl.ZipFile()
  const add = (name: string, text: string) => zip.addBuffer(Buffer.from(text), name, { mtime })
  const stream = (name: string, parts: AsyncGenerator<string>) =>
    zip.addReadStream(Readable.from(parts, { objectMode: false }), name, { mtime })

  const names = images.map(([name, { type }]) => `images/${name}.${type.slice('image/'.length)}`)
  add('README.txt', readme(content))
  add('manifest.json', manifest(content, counts, names))
  for (const collection of collections) {
    const { type, context } = collection
    const name = fileName(collection)
    add(`contexts/${type}.jsonld`, `${JSON.stringify(context, null, 2)}\n`)
    stream(`jsonld/${name}.jsonld`, collection.jsonld(executor, written))
    stream(`csv/${name}.csv`, collection.csv(executor, written))
  }
  for (const [index, [, { bytes }]] of images.entries()) zip.addBuffer(bytes, names[index], { mtime, compress: false })
  zip.end()
  const output = zip.outputStream as Readable
  zip.on('error', (error: Error) => output.destroy(error))
  return output
}

/** The list of all files with the numbers of their rows. */
function manifest(
  { organization: { id, name, slug }, publicUrl, at, collections }: ArchiveContent,
  counts: number[],
  images: string[],
): string {
  const files = collections.map((collection, index) => ({
    type: collection.type,
    rows: counts[index],
    jsonld: `jsonld/${fileName(collection)}.jsonld`,
    csv: `csv/${fileName(collection)}.csv`,
    context: `contexts/${collection.type}.jsonld`,
  }))
  const content = { organization: { id, name, slug }, service: publicUrl, at, collections: files, images }
  return `${JSON.stringify(content, null, 2)}\n`
}

function fileName({ path }: WholeCollection): string {
  return path.replaceAll('/', '-')
}

/** The statements of one connection run one after another. */
async function inTurn<T, R>(all: T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const one of all) results.push(await work(one))
  return results
}
