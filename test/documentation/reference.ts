import { readFileSync } from 'node:fs'

/** One line of an endpoint table. */
export interface Endpoint {
  method: 'GET' | 'POST' | 'PATCH'
  path: string
  sentence: string
  /** The class that its sentence names. */
  of: string
}

/** One line of a field table: `employee*`, `string,null (iri-reference)`. */
interface ReferenceField {
  name: string
  required: boolean
  type: string
  nullable: boolean
  format?: string
}

export interface Section {
  name: string
  endpoints: Endpoint[]
  fields: ReferenceField[]
}

const text = readFileSync(new URL('reference.nl.txt', import.meta.url), 'utf8')

/** The API reference, section by section. */
export const reference: Section[] = text
  .split(/^Endpoints$/m)
  .slice(1)
  .map((section) => {
    const rows = section.split('\n').filter((line) => line.startsWith('|'))
    const endpoints = rows.filter((line) => /^\| [A-Z]+ \| \//.test(line)).map(endpoint)
    const fields = rows.filter((line) => /^\| \w+\*? \| [a-z]/.test(line)).map(field)
    return { name: endpoints[0].of, endpoints, fields }
  })

export const endpoints: Endpoint[] = reference.flatMap((section) => section.endpoints)

function endpoint(line: string): Endpoint {
  const [method, path, sentence] = cells(line)
  const [, of] = /(\w+) resources?\.$/.exec(sentence) as RegExpExecArray
  return { method: method as Endpoint['method'], path, sentence, of }
}

function field(line: string): ReferenceField {
  const [name, described] = cells(line)
  const [, type, absent, format] = /^(\w+?),?(null)?(?: \((.+)\))?$/.exec(described) as RegExpExecArray
  return { name: name.replace('*', ''), required: name.endsWith('*'), type, nullable: absent === 'null', format }
}

function cells(line: string): string[] {
  return line
    .split('|')
    .slice(1)
    .map((cell) => cell.trim())
}
