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

/** The JSON of a document with its ending. */
export function withTail(json: string, ending: CollectionTail | undefined): string {
  return ending ? `${json.slice(0, -1)},${ending.json.slice(1)}` : json
}
