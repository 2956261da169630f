import { quoteWithoutSecrets } from '../start/quote.ts'
import { StartError } from '../start/start-error.ts'
import { isSimilarName } from './similar-name.ts'

/** Reads environment variables and collects all errors, so that one start reports every one of them. */
export class Variables {
  readonly production: boolean
  private readonly errors: string[] = []
  private readonly names = new Set<string>()

  constructor(private readonly environment: NodeJS.ProcessEnv) {
    this.production = this.text('NODE_ENV') === 'production'
  }

  /** The value without white space around it; undefined when the variable is not set or blank. */
  text(name: string): string | undefined {
    this.names.add(name)
    return this.environment[name]?.trim() || undefined
  }

  /** The value exactly as it is set, because other libraries read the variable, too. */
  exact(name: string): string | undefined {
    return this.text(name) && this.environment[name]
  }

  addError(sentence: string): undefined {
    this.errors.push(sentence)
  }

  /** Calls a function and turns its error into one of this start. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      return this.addError((error as Error).message)
    }
  }

  /** The parts of a comma-separated list. */
  list(name: string, text: string | undefined): string[] {
    const parts = (text ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)
    if (text && parts.length === 0)
      this.addError(`${name} must name at least one value, not ${quoteWithoutSecrets(text)}.`)
    return parts
  }

  integer(name: string, text: string, min: number, max: number): number {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(number >= min && number <= max))
      this.addError(`${name} must be a whole number from ${min} to ${max}, not ${quoteWithoutSecrets(text)}.`)
    return number
  }

  oneOf(name: string, text: string, values: string[]): string {
    if (!values.includes(text))
      this.addError(`${name} must be one of ${values.join(', ')}, not ${quoteWithoutSecrets(text)}.`)
    return text
  }

  /** @returns the URL without slashes at its end; undefined when the text is not a URL */
  url(name: string, text: string, example: string): string | undefined {
    if (!/^https?:\/\//.test(text) || !URL.canParse(text))
      return this.addError(
        `${name} must be a URL that starts with http:// or https://, such as ${example}, not ${quoteWithoutSecrets(text)}.`,
      )
    return text.replace(/(?<!\/)\/+$/, '')
  }

  /** Whether all variables of a group are set. It is an error to set only some, and in production to set none. */
  allOrNone(names: string[], reason: string): boolean {
    const set = names.filter((name) => this.text(name))
    if (set.length === names.length) return true
    const all = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
    if (set.length > 0) this.addError(`${all} must be set together or not at all.`)
    else if (this.production) this.addError(`${all} must be set in production: ${reason}`)
    return false
  }

  /** @throws StartError with a line for each error */
  finish(): void {
    const unread = Object.keys(this.environment).filter((name) => !this.names.has(name))
    for (const name of unread) {
      const meant = [...this.names].find((known) => !this.text(known) && isSimilarName(name, known))
      if (meant) this.addError(`${name} must be spelled ${meant}: this server reads no variable of that name.`)
    }
    if (this.errors.length > 0) throw new StartError(this.errors.join('\n'))
  }
}
