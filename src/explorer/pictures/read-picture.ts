import type { PageContent, PageView } from '../engine.ts'
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

/** The content whose references a page shows: a calendar those of its lanes alone, and sums none. */
export function referencingContent(
  content: PageContent,
  rule: Picture | undefined,
): Pick<PageContent, 'shape' | 'items'> {
  const { shape, items } = content
  if (!rule) return content
  const lanes = rule.kind === 'calendar' && rule.lane ? [rule.lane] : []
  return { shape: { ...shape, fields: lanes }, items }
}
