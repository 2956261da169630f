/** Tests run as native ES modules, compiled by swc, against a Postgres that the run starts for itself. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: false, useDefineForClassFields: false },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  globalSetup: '<rootDir>/test/world/start.ts',
  globalTeardown: '<rootDir>/test/world/stop.ts',
  testTimeout: 20_000,
  // What ES modules of test files have held is never let go of: a new process is cheaper than collecting that garbage.
  workerIdleMemoryLimit: '1GB',
}
