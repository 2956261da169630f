import { shown } from '../start/quote.ts'
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
  raw(name: string): string | undefined {
    return this.text(name) && this.environment[name]
  }

  refuse(sentence: string): undefined {
    this.faults.push(sentence)
  }

  /** What `read` returns; its error becomes a fault. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      return this.refuse((error as Error).message)
    }
  }

  /** The parts of a list that commas separate. */
  list(name: string, text: string | undefined): string[] {
    const parts = (text ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)
    if (text && parts.length === 0) this.refuse(`${name} must name at least one value, not ${shown(text)}.`)
    return parts
  }

  whole(name: string, text: string, least: number, most: number): number {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(number >= least && number <= most))
      this.refuse(`${name} must be a whole number from ${least} to ${most}, not ${shown(text)}.`)
    return number
  }

  oneOf(name: string, text: string, values: string[]): string {
    if (!values.includes(text)) this.refuse(`${name} must be one of ${values.join(', ')}, not ${shown(text)}.`)
    return text
  }

  /** @returns the URL without slashes at its end; undefined when it is none */
  url(name: string, text: string, example: string): string | undefined {
    if (!/^https?:\/\//.test(text) || !URL.canParse(text))
      return this.refuse(
        `${name} must be a URL that starts with http:// or https://, such as ${example}, not ${shown(text)}.`,
      )
    return text.replace(/(?<!\/)\/+$/, '')
  }

  /** Whether all of some variables are set; some alone are a fault, and so are none in production. */
  together(names: string[], reason: string): boolean {
    const set = names.filter((name) => this.text(name))
    if (set.length === names.length) return true
    const all = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
    if (set.length > 0) this.refuse(`${all} are set together or not at all.`)
    else if (this.production) this.refuse(`${all} must be set in production: ${reason}`)
    return false
  }

  /** @throws a StartError with a line for each fault */
  finish(): void {
    const others = Object.keys(this.environment).filter((name) => !this.names.has(name))
    for (const name of others) {
      const meant = [...this.names].find((known) => !this.text(known) && isSimilarName(name, known))
      if (meant) this.refuse(`${name} must be spelled ${meant}: this server reads no variable of that name.`)
    }
    if (this.faults.length > 0) throw new StartError(this.faults.join('\n'))
  }
}
