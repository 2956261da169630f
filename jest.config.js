import { bundleLibraries } from './test/support/bundled-libraries.js'

/** Tests run as native ES modules, compiled by swc, against a Postgres that the run starts for itself. */
const typescript = (tsx) => ({
  swcrc: false,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', tsx, decorators: true },
    transform: {
      legacyDecorator: true,
      decoratorMetadata: false,
      useDefineForClassFields: false,
      react: { runtime: 'automatic', importSource: 'preact' },
    },
    keepClassNames: true,
  },
  module: { type: 'es6' },
})

export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform: { '\\.ts$': ['@swc/jest', typescript(false)], '\\.tsx$': ['@swc/jest', typescript(true)] },
  moduleNameMapper: await bundleLibraries(),
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testTimeout: 20_000,
  // Node keeps the modules of a finished test file in memory, so a worker is replaced before garbage collection dominates.
  workerIdleMemoryLimit: '600MB',
}
