import { type Api, type Caller, ConstraintViolation, type Problem, type Resource } from '../../hydra/index.ts'
import type { Words } from '../words/en.ts'
import { collectionLabel } from '../words/labels.ts'

interface ProblemProps {
  api: Api
  tag: string
  words: Words
  problem: Problem
  /** Absent where the request failed before its caller was known. */
  caller?: Caller
  /** The X-Request-Id of the response, if it has one. */
  requestId?: string
  /** The path and the query of the request. */
  target: string
  to(path: string): string
}

/** The title of the page of a problem. */
export function problemTitle(words: Words, { status }: Problem): string {
  return (words.problems[status] ?? words.unknownProblem)[0]
}

/** The page of a problem: the reason, and what to do next. */
export function ProblemPage({ problem, requestId, ...rest }: ProblemProps) {
  const { api, words, target, to } = rest
  const { status, message, headers, title } = problem
  const [, remedy] = words.problems[status] ?? words.unknownProblem
  const wait = headers['Retry-After']
  return (
    <>
      <p class="status">{`${status} ${title}`}</p>
      {problem instanceof ConstraintViolation ? <Violations problem={problem} /> : <p class="reason">{message}</p>}
      <p>{remedy}</p>
      {wait && <p>{words.retryAfter(wait)}</p>}
      {status >= 500 && requestId && (
        <p>
          {words.requestId}: <code>{requestId}</code>
        </p>
      )}
      <ul class="links">
        {status === 401 && (
          <li>
            <a class="button" href={to(`${api.iris.at('/session')}?return=${encodeURIComponent(target)}`)}>
              {words.signIn}
            </a>
          </li>
        )}
        {[412, 429, 500, 502, 503].includes(status) && (
          <li>
            <a class="button" href={target}>
              {words.again}
            </a>
          </li>
        )}
        <Nearest {...rest} />
        <li>
          <a href={to(api.iris.at('/'))}>{words.start}</a>
        </li>
      </ul>
    </>
  )
}

function Violations({ problem: { violations } }: { problem: ConstraintViolation }) {
  return (
    <ul>
      {violations.map(({ propertyPath, message }) => (
        <li key={`${propertyPath} ${message}`}>
          <strong>{propertyPath}</strong>: {message}
        </li>
      ))}
    </ul>
  )
}

/** A link to the collection that the address is about, if the caller may list it. */
function Nearest({ api, tag, words, caller, target, to }: Omit<ProblemProps, 'problem' | 'requestId'>) {
  const resource = caller && nearest(api, target)
  const list = resource?.operations.find(({ name }) => name === 'list')
  if (!caller || !resource || !list || !api.permissions.allows(list, caller)) return null
  return (
    <li>
      <a href={to(api.iris.at(resource.path))}>{words.goTo(collectionLabel(api, tag, resource))}</a>
    </li>
  )
}

function nearest(api: Api, target: string): Resource | undefined {
  const [path] = target.split(/[?.]/)
  const below = (start: string) => path === start || path.startsWith(`${start}/`)
  return api.resources.find((resource) => resource.listed && below(api.iris.at(resource.path)))
}
