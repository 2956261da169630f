import config from './jest.config.js'

/** Tests that kill, storm, drain, attack, start whole servers, or generate requests by the thousand. */
export default { ...config, testMatch: ['<rootDir>/test/**/*.long.ts'], testTimeout: 60_000 }
