/** What a variable is set to; undefined when it is not set, or blank. */
export type Text = (name: string) => string | undefined

export function whole(name: string, value: string, least: number, most: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= least && number <= most))
    throw new Error(`${name} must be a whole number from ${least} to ${most}, not "${value}".`)
  return number
}

export function url(name: string, value: string): string {
  if (!URL.canParse(value)) throw new Error(`${name} must be an absolute URL, such as http://127.0.0.1:3000.`)
  if (!/^https?:\/\//.test(value)) throw new Error(`${name} must start with http:// or https://, not "${value}".`)
  return value.replace(/\/+$/, '')
}

export function oneOf(name: string, value: string, values: string[]): string {
  if (!values.includes(value)) throw new Error(`${name} must be one of ${values.join(', ')}, not "${value}".`)
  return value
}
