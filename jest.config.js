import { options } from './test/jest/typescript.js'

/** Tests run as native ES modules, compiled by swc, against a Postgres that the run starts for itself. */
export default {
  runtime: '<rootDir>/test/jest/runtime.js',
  testEnvironment: '<rootDir>/test/jest/environment.js',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: { '\\.ts$': ['@swc/jest', options] },
  globalSetup: '<rootDir>/test/world/start.ts',
  globalTeardown: '<rootDir>/test/world/stop.ts',
  testTimeout: 20_000,
}
