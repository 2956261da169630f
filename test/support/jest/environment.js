import { createRequire } from 'node:module'
import { TestEnvironment as NodeEnvironment } from 'jest-environment-node'

/** Classes whose instances cross between tests and the modules that they share, which use `instanceof`. */
const sharedClasses = ['AggregateError', 'Date', 'Error', 'Map', 'RangeError', 'Set', 'SyntaxError', 'TypeError']

/** Node's environment of Jest, in which test files reach the modules that a worker loads once: see shared-modules.js. */
export default class Environment extends NodeEnvironment {
  constructor(config, context) {
    super(config, context)
    this.global.importShared = (url) => import(url)
    this.global.requireShared = createRequire(import.meta.url)
    this.global.workerGlobal = globalThis
    for (const name of sharedClasses) this.global[name] = globalThis[name]
  }
}
