import { type Call, ConstraintViolation, WorkerThread } from '../hydra/index.ts'

/** An ordinary footer takes ten milliseconds. */
const defaultTimeoutMs = 2000

const thread = new WorkerThread({
  module: new URL('./sanitizer-thread', import.meta.url),
  maxMegabytes: 64,
  idleTimeoutMs: 60_000,
})

/**
 * Cleans HTML beside the event loop, since the libraries that read it are not linear.
 * @param name the property that it is of
 * @throws ConstraintViolation when it takes too long, Problem 503 when too many wait
 */
export async function sanitizeInThread(
  name: string,
  html: string,
  share: Call['share'],
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
