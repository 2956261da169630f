import type { PageContent, PageView } from '../engine.ts'
import type { Referring } from '../titles.ts'
import type { Picture } from './pictures.ts'
import { readSums, type Sum } from './sum-periods.ts'

/** A picture with the sums that it is drawn from; a calendar is drawn from the members of its page. */
export interface ReadPicture {
  rule: Picture
  sums?: Sum[]
}

/** Reads what a picture needs beside its page. */
export async function readPicture(
  { content }: Pick<PageView, 'content'>,
  rule: Picture | undefined,
  zone: Promise<string>,
): Promise<ReadPicture | undefined> {
  if (!rule) return undefined
  return { rule, sums: rule.kind === 'sums' ? await readSums(content?.collection, rule, await zone) : undefined }
}

/** The references that a page shows: a calendar those of its lanes alone, and sums none. */
export function shownReferences({ shape, items }: PageContent, rule: Picture | undefined): Referring {
  if (!rule) return { fields: shape.fields, items }
  return { fields: rule.kind === 'calendar' && rule.lane ? [rule.lane] : [], items }
}
