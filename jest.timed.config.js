import config from './jest.long.config.js'

/** Long tests that measure how long somebody waits: they run one at a time, with nothing beside them. */
export default { ...config, testMatch: ['<rootDir>/test/**/*.timed.ts'] }
