import { ConstraintViolation, type Problem } from '../../hydra/index.ts'
import type { Drawing } from '../drawing.ts'
import { labelOf } from '../words/labels.ts'
import type { Form } from './form.ts'
import { Versions } from './versions.tsx'

/** The reason why a form was refused, with a link to each field that must change. */
export function Refusal({ drawing, form, problem }: { drawing: Drawing; form: Form; problem: Problem }) {
  const { words } = drawing
  const [title, remedy] = words.problems[problem.status] ?? words.unknownProblem
  const wait = problem.headers['Retry-After']
  return (
    // The form was drawn again, so the focus moves to the reason.
    <section class="refusal" role="alert" aria-labelledby="refusal" tabIndex={-1} autofocus>
      <h2 id="refusal">{title}</h2>
      {problem instanceof ConstraintViolation ? (
        <Violations drawing={drawing} form={form} problem={problem} />
      ) : (
        <p class="reason">{problem.message}</p>
      )}
      <p>{problem.status === 412 ? words.compare : remedy}</p>
      {wait && <p>{words.retryAfter(wait)}</p>}
      {problem.status === 412 && <Versions drawing={drawing} form={form} />}
    </section>
  )
}

function Violations({
  drawing: { api, tag },
  form: { fields, shape },
  problem,
}: {
  drawing: Drawing
  form: Form
  problem: ConstraintViolation
}) {
  return (
    <ul>
      {problem.violations.map(({ propertyPath, message }) => {
        const name = propertyPath.split(/[[.]/, 1)[0]
        const isShown = shape && fields.some((field) => field.name === name)
        return (
          <li key={`${propertyPath} ${message}`}>
            {isShown ? <a href={`#field-${name}`}>{labelOf(api, tag, shape.name, name)}</a> : propertyPath}: {message}
          </li>
        )
      })}
    </ul>
  )
}
