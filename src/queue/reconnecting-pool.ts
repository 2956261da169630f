import type { Pool, PoolClient } from 'pg'

type PoolError = Error & { code?: string; severity?: string }

/** An error code for which graphile-worker retries a query; it gives up on other connection errors. */
const retryableCode = 'EHOSTUNREACH'

/**
 * The pool for graphile-worker. When Postgres is away while a job ends, the end of the job cannot be stored. The query must be
 * retried then, because an unhandled rejection would end the process.
 * @param onReconnect called when Postgres answers again
 */
export function reconnectingPool(pool: Pool, onReconnect: () => unknown): Pool {
  let isAway = false
  const failed = (error: PoolError): never => {
    if (isConnectionError(error)) {
      isAway = true
      error.code = retryableCode
    }
    throw error
  }
  const answered = <T>(result: T): T => {
    if (isAway) {
      isAway = false
      onReconnect()
    }
    return result
  }
  const wrapClient = (client: PoolClient): PoolClient =>
    withMethod(client, 'query', (...query: Parameters<PoolClient['query']>) =>
      (client.query(...query) as unknown as Promise<unknown>).then(answered, failed),
    )
  return withMethod(pool, 'connect', (callback?: Parameters<Pool['connect']>[0]) =>
    callback ? pool.connect(callback) : pool.connect().then(wrapClient, failed),
  )
}

/** Whether the connection failed: errors that Postgres itself reports have a severity. */
function isConnectionError({ code = '', severity }: PoolError): boolean {
  return severity === undefined || /^(08|53|57P)/.test(code)
}

function withMethod<T extends object>(whole: T, name: keyof T, method: unknown): T {
  return new Proxy(whole, {
    get(target, key) {
      if (key === name) return method
      const value = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
