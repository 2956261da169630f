import { hash } from 'node:crypto'

/** What every page of a collection ends with: it never changes, so it is written once, at boot. */
export interface CollectionTail {
  properties: Record<string, unknown>
  json: string
  /** Stands for it in validators, so that it is not hashed again with each page. */
  digest: string
}

export function collectionTail(properties: Record<string, unknown>): CollectionTail {
  const json = JSON.stringify(properties)
  return { properties, json, digest: hash('sha1', json) }
}

/** The JSON of a document with its tail. */
export function withTail(json: string, tail: CollectionTail | undefined): string {
  return tail ? `${json.slice(0, -1)},${tail.json.slice(1)}` : json
}
