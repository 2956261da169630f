import type { PageRequest } from '../engine.ts'
import { en, type Words } from './en.ts'
import { nl } from './nl.ts'

/** The languages of the explorer; the first one is the default. */
export const languages = ['en', 'nl']

const words: Record<string, Words> = { en, nl }

/** A language, and the explorer's own words in it. */
export interface Language {
  tag: string
  words: Words
  /** Whether the address names it, so that the links of the page keep it. */
  chosen: boolean
}

/** The language that the parameter `lang` names, or else the one that Accept-Language prefers. */
export function languageOf(request: Pick<PageRequest, 'query' | 'language'>): Language {
  const asked = request.query.get('lang') ?? ''
  const chosen = languages.includes(asked)
  const tag = chosen ? asked : request.language(languages)
  return { tag, words: words[tag], chosen }
}

/** The words of a language. */
export const wordsIn = (tag: string): Words => words[tag]
