import { createRequire, findSourceMap, register } from 'node:module'
import { pathToFileURL } from 'node:url'
import Runtime from 'jest-runtime'

register('./typescript.js', import.meta.url)
process.setSourceMapsEnabled(true)

const require = createRequire(import.meta.url)
const hooks = require('node:async_hooks')
const { AsyncLocalStorage } = hooks
const context = new AsyncLocalStorage()
let files = 0

/** Where Jest keeps which test something belongs to: one for all files, as every promise looks at each that there is. */
class Context {
  constructor() {
    // biome-ignore lint/correctness/noConstructorReturn: whoever asks for a new one gets the one
    return context
  }
}

/** Where Jest looks up which line of a source it was, by the URL of what was compiled. */
class SourceMaps extends Map {
  get(url) {
    if (!this.has(url)) this.set(url, inline(findSourceMap(url)?.payload))
    return super.get(url)
  }
}

const sourceMaps = new SourceMaps()

/**
 * Runs test files in Node itself, one after the other, instead of each in a context of its own: packages and the server are
 * evaluated once in a process, which takes longer than most files do; only what is of the tests is evaluated for every file.
 */
export default class extends Runtime {
  unstable_shouldLoadAsEsm() {
    return true
  }

  /** A file that fails before it has told its tests has closed what it opened, too. */
  async unstable_importModule(path) {
    files += 1
    // Node itself finds where a line comes from in half the time that Jest takes, and Stripe's client asks with every request.
    Error.prepareStackTrace = undefined
    try {
      await import(`${pathToFileURL(path)}?${files}`)
    } catch (error) {
      const [state] = globalsOf('JEST_STATE_SYMBOL').map((key) => globalThis[key])
      for (const { type, fn } of state.rootDescribeBlock.hooks) if (type === 'afterAll') await fn()
      throw error
    }
  }

  /** The one module that is asked for so holds the tests of a file, and who hears of them. */
  requireInternalModule(path) {
    for (const key of globalsOf('JEST_STATE_SYMBOL', 'EVENT_HANDLERS')) delete globalThis[key]
    delete require.cache[path]
    hooks.AsyncLocalStorage = Context
    try {
      return require(path)
    } finally {
      hooks.AsyncLocalStorage = AsyncLocalStorage
    }
  }

  getSourceMaps() {
    return sourceMaps
  }
}

function inline(map) {
  return map ? `data:application/json,${encodeURIComponent(JSON.stringify(map))}` : ''
}

function globalsOf(...descriptions) {
  return Object.getOwnPropertySymbols(globalThis).filter(({ description }) => descriptions.includes(description))
}
