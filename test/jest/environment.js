import { ModuleMocker } from 'jest-mock'

/** Test files have the globals of the process they run in. */
export default class {
  global = globalThis
  moduleMocker = new ModuleMocker(globalThis)
  async setup() {}
  async teardown() {}
  getVmContext() {}
}
