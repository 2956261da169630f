import type { Drawing } from '../drawing.ts'
import { Data } from '../parts/data.tsx'

/** The page of a document without a class of the API, such as the explanation of an error. */
export function DocumentPage({ drawing }: { drawing: Drawing }) {
  const { description } = drawing.view.document
  return (
    <>
      {typeof description === 'string' && <p>{description}</p>}
      <Data drawing={drawing} />
    </>
  )
}
