import { ScrollingTable } from '../parts/scrolling-table.tsx'
import { detailsIn, titleIn } from '../words/operation-words.ts'
import type { OperationReference } from './groups.ts'
import type { Part, Reference } from './reference.ts'

export function EndpointTable({
  reference,
  operations,
  label,
}: Part & {
  operations: OperationReference[]
}) {
  const { words, to, api } = reference
  return (
    <ScrollingTable label={label} heads={[words.method, words.path, words.description, words.roles, words.statuses]}>
      {operations.map((operation) => (
        <tr key={operation.fragment} id={operation.fragment}>
          <td>{operation.method}</td>
          <td>
            <code>{operation.path}</code>
          </td>
          <td>
            <span lang="en">{operation.sentence}</span>
            <OperationDetails reference={reference} operation={operation} />
          </td>
          <td>{rolesOf(reference, operation)}</td>
          <td>
            {operation.statuses.map((status, index) => (
              <>
                {index > 0 && ', '}
                {status < 300 ? status : <a href={to(api.iris.at(`/errors/${status}`))}>{status}</a>}
              </>
            ))}
          </td>
        </tr>
      ))}
    </ScrollingTable>
  )
}

/** The title of an operation, which opens its details where it has any. */
function OperationDetails({ reference, operation }: Pick<Part, 'reference'> & { operation: OperationReference }) {
  const { bodyTypes } = operation
  const title = titleIn(reference, operation)
  const description = detailsIn(reference, operation)
  if (!description && bodyTypes.length === 0) return <p class="note">{title}</p>
  return (
    <details>
      <summary>{title}</summary>
      {description && <p class="note">{description}</p>}
      {bodyTypes.length > 0 && <Body reference={reference} operation={operation} />}
    </details>
  )
}

function Body({
  reference: { api, tag, words },
  operation,
}: Pick<Part, 'reference'> & { operation: OperationReference }) {
  const { input, bodyTypes } = operation
  return (
    <p class="note">
      {words.body}: {input && <a href={`#${input}`}>{api.labels.label(tag, input)}</a>}
      {input ? ' (' : ''}
      {bodyTypes.join(', ')}
      {input ? ')' : ''}
    </p>
  )
}

function rolesOf({ words }: Reference, { roles, isPublic, isForGuests }: OperationReference): string {
  if (isPublic) return words.noToken
  return isForGuests ? `${words.anyToken} (${roles.join(', ')})` : roles.join(', ')
}
