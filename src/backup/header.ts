import type { FileHandle } from 'node:fs/promises'
import { quote } from '../start/quote.ts'
import { StartError } from '../start/start-error.ts'

/** The part of a backup that is readable without the passphrase. It names no tenant and no key. */
export interface Header {
  /** The version of the application that made the backup. */
  version: string
  createdAt: string
  /** The names of the applied migrations, in their order. */
  migrations: string[]
  /** The ids of the keys that encrypted bank consents of the backup; SECRETS_KEY must hold them. */
  secretKeys: string[]
}

const magic = 'organization-api backup'
const format = 1
const maxHeaderBytes = 65_536
const pattern = new RegExp(`^(${magic} (\\d+)\\n(.+)\\n)`)

/** Two lines of text, before the encrypted rest of the file. */
export function writeHeader(header: Header): string {
  return `${magic} ${format}\n${JSON.stringify(header)}\n`
}

/** @throws StartError where the file is no backup, or one of another format */
export async function readHeader(file: FileHandle, path: string): Promise<{ header: Header; text: string }> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(maxHeaderBytes), 0, maxHeaderBytes, 0)
  const [, text, found, json] = pattern.exec(buffer.toString('utf8', 0, bytesRead)) ?? []
  if (text === undefined) throw new StartError(`${quote(path)} is no backup of this application.`)
  if (Number(found) !== format)
    throw new StartError(
      `${quote(path)} is a backup in format ${found}, and this version reads format ${format}. Use the version that made it.`,
    )
  try {
    return { header: JSON.parse(json), text }
  } catch {
    throw new StartError(`The header of ${quote(path)} is damaged. Use another copy of the backup.`)
  }
}
