import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A quiet process spends less than this share of an interval on work: health checks and metrics take a hundredth. */
const quiet = 0.05

/**
 * Collects garbage once the process is quiet after work. V8 collects only when something allocates, so a quiet process would keep
 * the memory of its busiest moment.
 */
export function collectWhenQuiet(intervalMs = 10_000): void {
  const collect = exposedCollector()
  let last = performance.eventLoopUtilization()
  let hasWorked = true
  setInterval(() => {
    const { utilization } = performance.eventLoopUtilization(last)
    last = performance.eventLoopUtilization()
    if (utilization < quiet && hasWorked) collect()
    hasWorked = utilization >= quiet
  }, intervalMs).unref()
}

/** Node has no function for a collection. A context that is made after the flag is set has V8's own. */
function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
}
