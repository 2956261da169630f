import { existsSync, readFileSync } from 'node:fs'

/** The version in package.json, which is one folder higher for code in dist. npm tells it only to its own scripts. */
export function ownVersion(): string {
  const places = ['../../package.json', '../../../package.json'].map((path) => new URL(path, import.meta.url))
  const file = places.find((place) => existsSync(place)) as URL
  return JSON.parse(readFileSync(file, 'utf8')).version
}
