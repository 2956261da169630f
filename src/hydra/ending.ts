/** What every page of a collection ends with: it never changes, so it is written once, at boot. */
export interface Ending {
  properties: Record<string, unknown>
  json: string
}

export function endingWith(properties: Record<string, unknown>): Ending {
  return { properties, json: JSON.stringify(properties) }
}

/** The JSON of a document with its ending. */
export function withEnding(document: object, ending: Ending | undefined): string {
  const json = JSON.stringify(document)
  return ending ? `${json.slice(0, -1)},${ending.json.slice(1)}` : json
}
