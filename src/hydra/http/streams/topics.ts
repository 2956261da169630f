import type { IriConverter } from '../../model/iri-converter.ts'
import { Problem } from '../../model/problem.ts'

/** Whether a stream wants an update with one of these topics. */
export type Topics = (iris: string[]) => boolean

const limits = { topics: 100, characters: 500 }

/**
 * Reads the topics of a subscription: IRIs of items and collections, URI templates, and `*` for all. The variables of a template
 * are whole segments of a path (RFC 6570, level 1).
 * @throws Problem 400 that names the topic
 */
export function topicsOf(given: string[], iris: IriConverter): Topics {
  if (given.length === 0 || given.length > limits.topics)
    throw new Problem(400, `Send 1 to ${limits.topics} parameters "topic": IRIs, URI templates or "*".`)
  const exact = new Set<string>()
  const templates: string[][] = []
  for (const topic of given) {
    if (topic.length > limits.characters)
      throw new Problem(400, `A topic has ${topic.length} characters; the limit is ${limits.characters}.`)
    if (topic === '*') return () => true
    const path = iris.local(topic)
    const iri = path === undefined ? topic : iris.at(path)
    if (!iri.includes('{')) exact.add(iri)
    else templates.push(segmentsOf(iri))
  }
  return (names) => names.some((iri) => exact.has(iri) || templates.some((template) => fits(template, iri.split('/'))))
}

const variable = /^\{\w+\}$/

function segmentsOf(template: string): string[] {
  const segments = template.split('/')
  const unread = segments.find((segment) => segment.includes('{') && !variable.test(segment))
  if (unread !== undefined)
    throw new Problem(400, `The topic "${template}" has "${unread}": a variable is a whole segment, such as "{id}".`)
  return segments
}

function fits(template: string[], segments: string[]): boolean {
  return (
    template.length === segments.length &&
    template.every((part, index) => (variable.test(part) ? segments[index] !== '' : part === segments[index]))
  )
}
