import { fileURLToPath } from 'node:url'
import { transformFile } from '@swc/core'

const root = new URL('../..', import.meta.url).href

/** As tsconfig.json has it. */
export const options = {
  swcrc: false,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: false, useDefineForClassFields: false },
    keepClassNames: true,
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
}

/** What belongs to one test file alone is known by the number of that file, and so is what it imports. */
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context)
  const { search } = new URL(context.parentURL ?? root)
  return search && isOfTests(found.url) ? { ...found, url: `${found.url}${search}` } : found
}

export async function load(url, context, next) {
  const { protocol, pathname } = new URL(url)
  if (protocol !== 'file:' || !pathname.endsWith('.ts')) return next(url, context)
  const { code } = await transformFile(fileURLToPath(url), options)
  return { format: 'module', source: code, shortCircuit: true }
}

/** The tests, and the DataSource, which one test file opens and closes. */
function isOfTests(url) {
  return url.startsWith(`${root}test/`) || url === `${root}ormconfig.ts`
}
