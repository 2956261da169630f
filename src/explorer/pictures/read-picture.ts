import type { Drawing } from '../drawing.ts'
import type { Field, PageContent, PageView } from '../engine.ts'
import { columnsOf } from '../parts/columns.tsx'
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

/** The references that a page shows: a table those of its columns, a calendar those of its lanes alone, and sums none. */
export function shownReferences(
  drawing: Pick<Drawing, 'view'>,
  content: PageContent,
  rule: Picture | undefined,
): Referring {
  const { shape, items, collection } = content
  if (!rule && !collection) return { fields: shape.fields, items }
  if (!rule) return { fields: columnsOf(drawing, content).map((name) => shape.field.get(name) as Field), items }
  return { fields: rule.kind === 'calendar' && rule.lane ? [rule.lane] : [], items }
}
