import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { publishedParameters } from './published-parameters.ts'

export const file = 'src/emulators/stripe/http/parameters.json'
export const command = 'npx tsx test/emulators/stripe/publish-parameters.ts'

/** Run as a command, it writes what the installed client publishes to where the local server reads it. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(file, JSON.stringify(publishedParameters()))
  execFileSync('npx', ['biome', 'format', '--write', file], { stdio: 'inherit' })
}
