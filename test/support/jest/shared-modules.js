import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import swc from '@swc/jest'
import { initSync, parse } from 'es-module-lexer'

/*
 * Jest loads every module again for each test file. The application and its libraries take most of that time, so a worker loads them once,
 * by Node's own loader, and a test file gets a module that only passes on their exports.
 */
initSync()

const root = process.cwd()
/** Jest caches what this file returns, also for its earlier versions. */
const version = readFileSync(import.meta.filename, 'utf8')

/** A module that passes on the exports of a shared module. */
function facadeOf(path, source) {
  const names = parse(source)[1].map(({ n }) => n)
  return [
    `const shared = await globalThis.importShared(${JSON.stringify(pathToFileURL(path).href)})`,
    ...names.map((name) =>
      name === 'default' ? 'export default shared.default' : `export const ${name} = shared.${name}`,
    ),
  ].join('\n')
}

/** A library is CommonJS unless it exports something by a keyword. */
function libraryFacadeOf(path, source) {
  const isModule = /^export\b/m.test(source)
  return isModule ? facadeOf(path, source) : `module.exports = globalThis.requireShared(${JSON.stringify(path)})`
}

function builtFacadeOf(path) {
  const built = `${root}/dist/${relative(root, path).replace(/\.tsx?$/, '.js')}`
  return facadeOf(built, readFileSync(built, 'utf8'))
}

export default {
  createTransformer: (options) => ({
    getCacheKey: (source, path, { supportsDynamicImport }) =>
      createHash('sha256')
        .update(JSON.stringify([version, supportsDynamicImport, source, path]))
        .digest('hex'),
    process(source, path, jest) {
      const isLibrary = path.includes('/node_modules/')
      // The setup of the run is outside the tests, and is compiled as usual.
      if (!jest.supportsDynamicImport)
        return isLibrary ? { code: source } : swc.createTransformer(options).process(source, path, jest)
      return { code: isLibrary ? libraryFacadeOf(path, source) : builtFacadeOf(path) }
    },
  }),
}
