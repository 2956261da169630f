import { readFile, rename, writeFile } from 'node:fs/promises'
import { type Consent, type Customer, emptyState, type Session, type State } from './state.ts'

export const minute = 60_000
export const day = 24 * 60 * minute

const [sessionLasts, consentLasts] = [15 * minute, 180 * day]

/** The state of the local Kontomatik, its clock, which can be put forward, and the journal that outlives it. */
export class BankWorld {
  state: State = emptyState()
  /** Milliseconds that an import takes. */
  readonly importMs: number
  readonly #journal: string | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor({ journal, importMs }: { journal: string | undefined; importMs: number }) {
    this.importMs = importMs
    this.#journal = journal
  }

  get now(): number {
    return Date.now() + this.state.offset
  }

  /** Days since 1970. */
  get today(): number {
    return Math.floor(this.now / day)
  }

  nextId(): string {
    this.state.last += 1
    return String(this.state.last)
  }

  isLive({ startedAt }: Session): boolean {
    return this.now - startedAt < sessionLasts
  }

  isValid({ grantedAt, revoked }: Consent): boolean {
    return !revoked && this.now - grantedAt < consentLasts
  }

  /** Whether it began within the last 24 hours. */
  isWithinLastDay({ startedAt }: { startedAt: number }): boolean {
    return this.now - startedAt < day
  }

  customer(target: string, login: string): Customer {
    const { customers } = this.state
    const known = customers.find((customer) => customer.target === target && customer.login === login)
    if (known) return known
    customers.push({ target, login, importedOn: undefined })
    return customers[customers.length - 1]
  }

  async load(): Promise<void> {
    if (!this.#journal) return
    try {
      this.state = { ...emptyState(), ...JSON.parse(await readFile(this.#journal, 'utf8')) }
    } catch (error) {
      if (error instanceof SyntaxError) throw new Error(`${this.#journal} is not a journal: move it away.`)
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  /** Forgets what is older than a day, as Kontomatik does, and writes the rest down; never half. */
  async save(): Promise<void> {
    const { redirections, sessions, commands, consents } = this.state
    const fresh = (each: { startedAt: number }) => this.isWithinLastDay(each)
    Object.assign(this.state, {
      redirections: redirections.filter(fresh),
      sessions: sessions.filter(fresh),
      commands: commands.filter(fresh),
      consents: consents.filter((consent) => this.isValid(consent)),
    })
    const journal = this.#journal
    if (!journal) return
    this.#writing = this.#writing
      .catch(() => {})
      .then(async () => {
        await writeFile(`${journal}.new`, JSON.stringify(this.state), { mode: 0o600 })
        await rename(`${journal}.new`, journal)
      })
    await this.#writing
  }
}
