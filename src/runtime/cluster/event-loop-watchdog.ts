import inspector from 'node:inspector'
import { Worker } from 'node:worker_threads'

export interface WatchdogLimits {
  /** Milliseconds between two looks of the watcher. */
  tickMs: number
  /** After how many looks at a loop that has not turned the process is ended. */
  maxSilentTicks: number
}

/**
 * Ten seconds are a hundred times what the costliest request takes, so neither a busy machine nor garbage collection comes near.
 * They are counted in ticks of the watcher: a machine that is suspended or a process that is stopped makes none.
 */
const usual: WatchdogLimits = { tickMs: 1000, maxSilentTicks: 10 }

/** Ends the process when its event loop no longer turns, so that its supervisor starts it again. */
export function startEventLoopWatchdog(limits: WatchdogLimits = usual): void {
  // A debugger halts the loop on purpose.
  if (inspector.url()) return
  const beats = new Int32Array(new SharedArrayBuffer(4))
  setInterval(() => Atomics.add(beats, 0, 1), limits.tickMs / 4).unref()
  const workerData = { ...limits, beats }
  // Its source is a function, so that the thread starts without a loader, from TypeScript and from the build alike.
  const thread = new Worker(`(${watcher})(require)`, {
    eval: true,
    execArgv: [],
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
  })
  thread.on('error', () => {})
  thread.unref()
}

/** Runs in a thread of its own and sees nothing of this module. */
function watcher(require: NodeJS.Require): void {
  const { workerData } = require('node:worker_threads') as typeof import('node:worker_threads')
  const { writeSync } = require('node:fs') as typeof import('node:fs')
  const { tickMs, maxSilentTicks, beats } = workerData as WatchdogLimits & { beats: Int32Array }
  let [seen, silent] = [-1, 0]
  setInterval(() => {
    const now = Atomics.load(beats, 0)
    silent = now === seen ? silent + 1 : 0
    seen = now
    if (silent < maxSilentTicks) return
    const seconds = (tickMs * maxSilentTicks) / 1000
    const msg = `The event loop has been blocked for ${seconds} s, so the process is ended: its supervisor starts it again.`
    try {
      writeSync(1, `${JSON.stringify({ level: 60, time: Date.now(), pid: process.pid, msg })}\n`)
    } finally {
      // Only a signal ends a process from a thread.
      process.kill(process.pid, 'SIGKILL')
    }
  }, tickMs)
}
