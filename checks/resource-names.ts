import { readdirSync } from 'node:fs'
import { lineOf, type Source } from './source.ts'

/** The files with words for people, in which the name of a class may be a plain word. */
const words = /^src\/explorer\/(?:.*\/)?(?:words\/.*|(?:.*-)?words\.ts)$/

/** Findings: literals in the explorer that name a resource by its class, a property of its vocabulary, or its path. */
export function findResourceNames(sources: Source[]): string[] {
  const classes = readdirSync('contexts').map((file) => file.replace(/\.jsonld$/, ''))
  const table = sources.find(({ file }) => file === 'src/api.ts')?.nodes ?? []
  const paths = table
    .map(({ value }) => value)
    .filter((value) => typeof value === 'string' && /^\/[a-z/-]+$/.test(value))
  if (classes.length === 0 || paths.length === 0) return ['src/api.ts has no path, or contexts has no class.']
  const name = new RegExp(`^(?:${classes.join('|')})(?:/.*)?$|(?:${paths.join('|')})(?![\\w-])`)
  return sources
    .filter(({ file }) => file.startsWith('src/explorer/') && !words.test(file))
    .flatMap((source) =>
      source.nodes.flatMap(({ type, value, start }) => {
        const text = type === 'TemplateElement' ? (value as { raw: string }).raw : value
        if (typeof text !== 'string' || !name.test(text)) return []
        return [
          `${source.file}:${lineOf(source, start)} names a resource ("${text.slice(0, 60)}"): derive it from the API's metadata.`,
        ]
      }),
    )
}
