import { ConstraintViolation, type Violation } from '../../hydra/index.ts'
import type { ChoicesOf } from '../choices.ts'
import type { Drawing } from '../drawing.ts'
import type { FormField } from '../engine.ts'
import { CopyText } from '../parts/script-elements.tsx'
import { Described } from '../words/described.tsx'
import { descriptionOf, labelOf } from '../words/labels.ts'
import { operationTexts } from '../words/operation-words.ts'
import { Field } from './field-input.tsx'
import { type Form, offeringPage } from './form.ts'
import { curlOf } from './form-request.ts'
import { Refusal } from './refusal.tsx'

interface FormPageProps {
  drawing: Drawing
  form: Form
  choices: ChoicesOf
}

/** The page of an operation that changes something: its description and its form, which is sent to the operation's own URL. */
export function FormPage({ drawing, form, choices }: FormPageProps) {
  const { api, words, view, to } = drawing
  const { offered, fields, problem } = form
  const { operation, resource, href } = offered
  const { title, description } = operationTexts(drawing, resource, operation)
  const isUpload = operation.expects === 'file'
  const token = view.formToken?.()
  return (
    <>
      {problem && <Refusal drawing={drawing} form={form} problem={problem} />}
      <p>
        <Described text={description} />
      </p>
      {token === undefined ? (
        <p class="note">
          <a href={`${api.iris.at('/session')}?return=${encodeURIComponent(view.request.target)}`}>
            {words.signInToSend}
          </a>
        </p>
      ) : (
        <form
          method="post"
          action={to(href)}
          class="operation"
          enctype={isUpload ? 'multipart/form-data' : undefined}
          // The server checks every value and names each violation, in the language of the page.
          noValidate={problem !== undefined}
        >
          <HiddenFields drawing={drawing} form={form} token={token} />
          {isUpload && <FileField drawing={drawing} form={form} />}
          {fields.map((field) => (
            <FormFieldOf drawing={drawing} form={form} field={field} choices={choices} key={field.name} />
          ))}
          <Confirmation drawing={drawing} form={form} />
          <p class="buttons">
            <button type="submit" class={operation.method === 'DELETE' ? 'danger' : undefined}>
              {title}
            </button>
            <a href={to(offeringPage(drawing))}>{words.cancel}</a>
          </p>
        </form>
      )}
      <details>
        <summary>{words.asRequest}</summary>
        <CopyText drawing={drawing}>
          <pre>
            <code>{curlOf(api.iris.origin, offered)}</code>
          </pre>
        </CopyText>
      </details>
    </>
  )
}

/** The form token stands first: the server reads it before a file. */
function HiddenFields({ drawing, form, token }: Omit<FormPageProps, 'choices'> & { token: string }) {
  const { api, view } = drawing
  const { method } = form.offered.operation
  const names = api.formNames
  return (
    <>
      <input type="hidden" name={names.token} value={token} />
      <input type="hidden" name={names.page} value={offeringPage(drawing)} />
      {method === 'POST' ? (
        <input type="hidden" name={names.key} value={form.key} />
      ) : (
        <>
          <input type="hidden" name={names.method} value={method} />
          {view.version !== undefined && <input type="hidden" name={names.etag} value={`"${view.version}-form"`} />}
        </>
      )}
    </>
  )
}

function FileField({ drawing: { words }, form }: Omit<FormPageProps, 'choices'>) {
  const { file } = form.offered.operation
  return (
    <div class="field">
      <label for="field-file">{words.file}</label>
      <input
        id="field-file"
        type="file"
        name="file"
        accept={file?.types.join(',')}
        required
        aria-describedby="file-hint"
      />
      <p class="hint" id="file-hint">
        {words.fileHint(file?.types ?? [], (file?.limit ?? 0) / 1024 / 1024)}
      </p>
    </div>
  )
}

function FormFieldOf({ drawing, form, field, choices }: FormPageProps & { field: FormField }) {
  const { api, tag } = drawing
  const { shape, values, problem } = form
  const type = shape?.name ?? ''
  return (
    <Field
      drawing={drawing}
      field={field}
      type={type}
      label={labelOf(api, tag, type, field.name)}
      description={descriptionOf(api, tag, type, field.name)}
      values={values}
      violations={problem instanceof ConstraintViolation ? violationsOf(problem, field) : []}
      choices={choices.get(field.name)}
    />
  )
}

/** Operations that destroy or bill are confirmed with a box that must be ticked. */
function Confirmation({ drawing: { words }, form }: Omit<FormPageProps, 'choices'>) {
  const { method, consequence } = form.offered.operation
  const kind = consequence ?? (method === 'DELETE' ? 'destroys' : undefined)
  if (!kind) return null
  return (
    <p class="confirmation">
      <strong>{words.consequences[kind]}</strong>
      <label>
        <input type="checkbox" required />
        {words.confirm}
      </label>
    </p>
  )
}

/** The violations of a field, and of the objects in its list. */
function violationsOf({ violations }: ConstraintViolation, { name }: FormField): Violation[] {
  return violations.filter(({ propertyPath }) => propertyPath === name || /^[[.]/.test(rest(propertyPath, name)))
}

const rest = (path: string, name: string) => (path.startsWith(name) ? path.slice(name.length) : '')
