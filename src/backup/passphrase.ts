import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { StartError } from '../start/start-error.ts'

const minLength = 12

/**
 * The passphrase of BACKUP_PASSPHRASE, or else of the terminal. It is never an argument, because other users see those.
 * @param isNew whether it seals a backup, so that it must be long and is asked for twice
 */
export async function readPassphrase(given: string | undefined, isNew: boolean): Promise<string> {
  const passphrase = given ?? (await ask('Passphrase of the backup: '))
  if (isNew && passphrase.length < minLength)
    throw new StartError(`The passphrase must have at least ${minLength} characters, for example five random words.`)
  if (isNew && given === undefined && (await ask('The same again: ')) !== passphrase)
    throw new StartError('The two passphrases differ. Nothing was written.')
  return passphrase
}

/** Asks on standard error, without an echo of the answer. */
async function ask(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw new StartError('BACKUP_PASSPHRASE must be set where no terminal can ask for it.')
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await new Promise((resolve, reject) => {
      terminal.once('line', resolve)
      // Ctrl-C and Ctrl-D. A close after the line changes nothing.
      for (const event of ['SIGINT', 'close']) terminal.once(event, () => reject(new StartError('Cancelled.')))
    })
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}
