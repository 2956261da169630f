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

/** Libraries that the application shares with test files, or that take long to load. */
const sharedLibraries = [
  '@opentelemetry/[^/]+',
  'class-transformer',
  'class-validator',
  'express',
  'graphile-worker',
  'jsonld',
  'nodemailer',
  'pg',
  'pino',
  'prom-client',
  'reflect-metadata',
  'sanitize-html',
  'stripe',
  'supertest',
  'typeorm',
]

const shared = ['<rootDir>/test/support/jest/shared-modules.js', typescript(true)]

export default {
  testEnvironment: '<rootDir>/test/support/jest/environment.js',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform: {
    [`^${import.meta.dirname}/(src/.+|entities/.+|ormconfig)\\.tsx?$`]: shared,
    [`^${import.meta.dirname}/node_modules/(${sharedLibraries.join('|')})/.*\\.js$`]: shared,
    '\\.ts$': ['@swc/jest', typescript(false)],
    '\\.tsx$': ['@swc/jest', typescript(true)],
  },
  transformIgnorePatterns: [],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testTimeout: 20_000,
  // Node keeps the modules of a finished test file in memory, so a worker is replaced before garbage collection dominates.
  workerIdleMemoryLimit: '600MB',
}
