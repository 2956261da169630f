import type { OwnIssuer } from '../access/keys.ts'
import { readConfig } from '../config.ts'
import { openDatabase } from '../database.ts'
import { type Person, people, tokenFor } from '../demo.ts'
import { openIssuer } from '../issuer.ts'
import { given } from './options.ts'

const usage = `Say whose token: ${Object.keys(people).join(', ')}; and with --organization <slug> for which organization.`

/** `npm run token -- <owner|admin|member|operator> [--organization <slug>]` prints a bearer token of the demo. */
const { positionals, values } = given({ organization: { type: 'string' } }, usage)
const [person = ''] = positionals
const config = readConfig(process.env)
const refusal = refuse()
if (refusal) {
  console.error(refusal)
  process.exit(1)
}
const { database, close } = await openDatabase(config, () => {})
try {
  const issuer = (await openIssuer(config)) as OwnIssuer
  console.log(await tokenFor(database, issuer, person as Person, values.organization))
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
} finally {
  await close()
}

function refuse(): string | undefined {
  if (config.auth) return 'AUTH_ISSUER is set, so tokens come from there.'
  return Object.hasOwn(people, person) ? undefined : usage
}
