import { quoteWithoutSecrets } from '../start/quote.ts'
import { StartError } from '../start/start-error.ts'
import { isSimilarName } from './similar-name.ts'

/** Reads environment variables and collects every fault, so that one start reports all of them. */
export class Variables {
  readonly production: boolean
  private readonly faults: string[] = []
  private readonly names = new Set<string>()

  constructor(private readonly environment: NodeJS.ProcessEnv) {
    this.production = this.text('NODE_ENV') === 'production'
  }

  /** The value without blanks around it; undefined when the variable is not set, or blank. */
  text(name: string): string | undefined {
    this.names.add(name)
    return this.environment[name]?.trim() || undefined
  }

  /** The value exactly as it is set, which other libraries read too. */
  exact(name: string): string | undefined {
    return this.text(name) && this.environment[name]
  }

  addError(sentence: string): undefined {
    this.faults.push(sentence)
  }

  /** What `read` returns; its error becomes a fault. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      return this.addError((error as Error).message)
    }
  }

  /** The parts of a list that commas separate. */
  list(name: string, text: string | undefined): string[] {
    const parts = (text ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)
    if (text && parts.length === 0)
      this.addError(`${name} must name at least one value, not ${quoteWithoutSecrets(text)}.`)
    return parts
  }

  integer(name: string, text: string, least: number, most: number): number {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(number >= least && number <= most))
      this.addError(`${name} must be a whole number from ${least} to ${most}, not ${quoteWithoutSecrets(text)}.`)
    return number
  }

  oneOf(name: string, text: string, values: string[]): string {
    if (!values.includes(text))
      this.addError(`${name} must be one of ${values.join(', ')}, not ${quoteWithoutSecrets(text)}.`)
    return text
  }

  /** @returns the URL without slashes at its end; undefined when it is none */
  url(name: string, text: string, example: string): string | undefined {
    if (!/^https?:\/\//.test(text) || !URL.canParse(text))
      return this.addError(
        `${name} must be a URL that starts with http:// or https://, such as ${example}, not ${quoteWithoutSecrets(text)}.`,
      )
    return text.replace(/(?<!\/)\/+$/, '')
  }

  /** Whether all of some variables are set; some alone are a fault, and so are none in production. */
  allOrNone(names: string[], reason: string): boolean {
    const set = names.filter((name) => this.text(name))
    if (set.length === names.length) return true
    const all = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
    if (set.length > 0) this.addError(`${all} are set together or not at all.`)
    else if (this.production) this.addError(`${all} must be set in production: ${reason}`)
    return false
  }

  /** @throws a StartError with a line for each fault */
  finish(): void {
    const others = Object.keys(this.environment).filter((name) => !this.names.has(name))
    for (const name of others) {
      const meant = [...this.names].find((known) => !this.text(known) && isSimilarName(name, known))
      if (meant) this.addError(`${name} must be spelled ${meant}: this server reads no variable of that name.`)
    }
    if (this.faults.length > 0) throw new StartError(this.faults.join('\n'))
  }
}
