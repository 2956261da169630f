import { readFile, stat } from 'node:fs/promises'
import { type Account, ownAccount } from '../start/accounts.ts'
import { StartError } from '../start/start-error.ts'

/**
 * Chooses the account for Postgres, which refuses to run as root. Root uses the directory's owner, or else a system account.
 * @throws StartError when root finds no such account
 */
export async function accountFor(directory: string): Promise<Account> {
  if (ownAccount.uid !== 0) return ownAccount
  const { uid: owner } = await stat(directory)
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  for (const candidate of [String(owner), 'postgres', '_postgres', 'nobody']) {
    const found = accounts.find(([name, , uid]) => uid !== '0' && (uid === candidate || name === candidate))
    if (found) return { uid: Number(found[2]), gid: Number(found[3]) }
  }
  throw new StartError(
    'Postgres does not run as root, and no user "postgres" or "nobody" exists. Run the server as another user.',
  )
}
