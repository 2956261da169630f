import { hash } from 'node:crypto'

/** The last members of a collection's document. They never change, so they are serialized once, at boot. */
export interface CollectionTail {
  properties: Record<string, unknown>
  json: string
  /** Represents the tail in ETags, so it is not hashed again for each page. */
  digest: string
}

export function collectionTail(properties: Record<string, unknown>): CollectionTail {
  const json = JSON.stringify(properties)
  return { properties, json, digest: hash('sha1', json) }
}

/** The JSON of a collection with its members, which it lacks. No text in it contains an unescaped quote. */
export function withMembers(json: string, members: string): string {
  const start = json.indexOf('member":[]') + 'member":['.length
  return json.slice(0, start) + members + json.slice(start)
}

/** The JSON of a document with its tail. */
export function withTail(json: string, tail: CollectionTail | undefined): string {
  return tail ? `${json.slice(0, -1)},${tail.json.slice(1)}` : json
}
