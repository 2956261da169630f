import config from './jest.long.config.js'

/** Tests that take minutes each: the cost of every list, every page in Chromium, and axe. */
export default { ...config, testMatch: ['<rootDir>/test/**/*.slow.ts'] }
