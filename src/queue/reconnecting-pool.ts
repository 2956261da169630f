import type { Pool, PoolClient } from 'pg'

type Fault = Error & { code?: string; severity?: string }

/** Of what fails because Postgres is not there, graphile-worker tries again only what has such a code. */
const unreachable = 'EHOSTUNREACH'

/**
 * The pool as graphile-worker takes it. When Postgres goes away while a job is under way, that the job has ended cannot be
 * written down: it must be tried again, as otherwise a rejection that nobody handles ends the process.
 * @param back is told when Postgres answers again
 */
export function reconnectingPool(pool: Pool, back: () => unknown): Pool {
  let away = false
  const failed = (fault: Fault): never => {
    if (isLost(fault)) {
      away = true
      fault.code = unreachable
    }
    throw fault
  }
  const answered = <T>(result: T): T => {
    if (away) {
      away = false
      back()
    }
    return result
  }
  const asking = (client: PoolClient): PoolClient =>
    instead(client, 'query', (...question: Parameters<PoolClient['query']>) =>
      (client.query(...question) as unknown as Promise<unknown>).then(answered, failed),
    )
  return instead(pool, 'connect', (callback?: Parameters<Pool['connect']>[0]) =>
    callback ? pool.connect(callback) : pool.connect().then(asking, failed),
  )
}

/** Whether Postgres could not be asked, or could not answer; what it says itself has a severity. */
function isLost({ code = '', severity }: Fault): boolean {
  return severity === undefined || /^(08|53|57P)/.test(code)
}

function instead<T extends object>(whole: T, name: keyof T, method: unknown): T {
  return new Proxy(whole, {
    get(target, key) {
      if (key === name) return method
      const value = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
