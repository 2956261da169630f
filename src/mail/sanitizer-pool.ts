import { type Call, ConstraintViolation, WorkerThread } from '../hydra/index.ts'

/** An ordinary footer takes ten milliseconds. */
const defaultTimeoutMs = 2000

const thread = new WorkerThread({
  module: new URL('./sanitizer-thread', import.meta.url),
  maxMegabytes: 64,
  idleTimeoutMs: 60_000,
})

/**
 * Sanitizes HTML in a worker thread: its parsers are not linear and would block the event loop.
 * @param name the property that a violation names
 * @throws ConstraintViolation when it takes too long, Problem 503 when too many tasks wait
 */
export async function sanitizeInThread(
  name: string,
  html: string,
  share: Call['request']['share'],
  timeoutMs = defaultTimeoutMs,
): Promise<string> {
  const refused = (what: string) =>
    new ConstraintViolation([
      {
        propertyPath: name,
        message: `${name} ${what}: send simpler HTML, with fewer tags and styles.`,
        code: 'isClean',
      },
    ])
  return (await thread.run({
    message: { html },
    share,
    maxTasksPerCaller: 8,
    timeoutMs,
    failed: refused,
    tooCostly: (what) => refused(`takes ${what} to clean`),
  })) as string
}
