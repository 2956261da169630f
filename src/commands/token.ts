import type { OwnIssuer } from '../access/token-issuer-keys.ts'
import { type Person, people, tokenFor } from '../demo/demo.ts'
import { openIssuer } from '../runtime/token-issuer.ts'
import { makeDataDirectory } from '../start/data-directory.ts'
import { runCommand, withDatabase } from './command.ts'
import { parseOptions } from './parse-options.ts'

const usage = `npm run token -- <${Object.keys(people).join('|')}> [--organization <slug>]  prints a bearer token of the demo`

/** `npm run token -- <owner|admin|member|operator> [--organization <slug>]` prints a bearer token of the demo. */
const { positionals, values } = parseOptions({ organization: { type: 'string' } }, usage)
const [person = ''] = positionals
if (!Object.hasOwn(people, person)) {
  console.error(usage)
  process.exit(1)
}
await runCommand(async (config) => {
  if (config.auth) throw new Error('AUTH_ISSUER is set, so the server issues no tokens. Get one from that issuer.')
  await makeDataDirectory(config.dataDirectory)
  await withDatabase(config, async (database) => {
    const issuer = (await openIssuer(config)) as OwnIssuer
    console.log(await tokenFor(database, issuer, person as Person, values.organization))
  })
})
