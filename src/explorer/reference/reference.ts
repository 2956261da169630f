import type { ComponentChild } from 'preact'
import type { Api } from '../../hydra/index.ts'
import type { boxesOf } from './diagram.ts'
import type { Chapter } from './groups.ts'
import type { ReferenceWords } from './words.ts'

/** Everything that the page shows, in one language. */
export interface Reference {
  api: Api
  tag: string
  words: ReferenceWords
  chapters: Chapter[]
  examples: Map<string, object>
  boxes: ReturnType<typeof boxesOf>
  diagram: ComponentChild
  /** The address of a path of this server, which keeps the language of the page. */
  to(path: string): string
}

/** A part of the page that is a table. */
export interface Part {
  reference: Reference
  /** The name of the table for screen readers. */
  label: string
}
