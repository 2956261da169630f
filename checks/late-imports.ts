import { existsSync, readFileSync } from 'node:fs'
import { lineOf, type Node, type Source } from './source.ts'

/**
 * Findings: a CommonJS library that is loaded late by the name of an export. Node finds such names; in the bundle of the server it has
 * only a default export.
 */
export function findLateImports(sources: Source[]): string[] {
  return sources
    .filter(({ file }) => file.startsWith('src/'))
    .flatMap((source) =>
      source.nodes.flatMap(({ type, id, init, start }) => {
        const { type: kind, properties } = (id ?? {}) as { type?: string; properties?: Node[] }
        const library = type === 'VariableDeclarator' ? lateLibrary(init as Node | null) : undefined
        if (library === undefined || kind !== 'ObjectPattern' || !isCommonJs(library)) return []
        const names = (properties ?? []).map(({ key }) => (key as { name?: string } | undefined)?.name)
        if (names.every((name) => name === 'default')) return []
        return [
          `${source.file}:${lineOf(source, start)} loads ${names.join(', ')} of ${library}: take its default export.`,
        ]
      }),
    )
}

/** The library in `await import('library')`. */
function lateLibrary(value: Node | null): string | undefined {
  const loaded = value?.type === 'AwaitExpression' ? (value.argument as Node) : undefined
  if (loaded?.type !== 'ImportExpression') return undefined
  const { value: name } = loaded.source as { value?: unknown }
  return typeof name === 'string' && !name.startsWith('.') ? name : undefined
}

function isCommonJs(library: string): boolean {
  const file = `node_modules/${library}/package.json`
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).type !== 'module'
}
