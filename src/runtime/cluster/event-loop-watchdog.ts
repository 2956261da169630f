import inspector from 'node:inspector'
import { Worker } from 'node:worker_threads'

export interface WatchdogLimits {
  /** Milliseconds between two checks of the watchdog. */
  tickMs: number
  /** Checks in a row with a blocked event loop, after which the process is killed. */
  maxSilentTicks: number
}

/**
 * Ten seconds are a hundred times the cost of the most expensive request, so a busy machine or garbage collection never takes
 * as long. They are counted in ticks: a suspended machine and a stopped process make none.
 */
const defaultLimits: WatchdogLimits = { tickMs: 1000, maxSilentTicks: 10 }

/** Kills the process when its event loop is blocked, so that its supervisor restarts it. */
export function startEventLoopWatchdog(limits: WatchdogLimits = defaultLimits): void {
  // A debugger stops the event loop on purpose.
  if (inspector.url()) return
  const beats = new Int32Array(new SharedArrayBuffer(4))
  setInterval(() => Atomics.add(beats, 0, 1), limits.tickMs / 4).unref()
  const workerData = { ...limits, beats }
  // The source of the thread is a function, so it starts without a loader both from TypeScript and from the build.
  const thread = new Worker(`(${watchdog})(require)`, {
    eval: true,
    execArgv: [],
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
  })
  thread.on('error', () => {})
  thread.unref()
}

/** Runs in its own thread and sees nothing of this module. */
function watchdog(require: NodeJS.Require): void {
  const { workerData } = require('node:worker_threads') as typeof import('node:worker_threads')
  const { writeSync } = require('node:fs') as typeof import('node:fs')
  const { tickMs, maxSilentTicks, beats } = workerData as WatchdogLimits & { beats: Int32Array }
  let [lastBeat, silentTicks] = [-1, 0]
  setInterval(() => {
    const beat = Atomics.load(beats, 0)
    silentTicks = beat === lastBeat ? silentTicks + 1 : 0
    lastBeat = beat
    if (silentTicks < maxSilentTicks) return
    const seconds = (tickMs * maxSilentTicks) / 1000
    const msg = `The event loop has been blocked for ${seconds} s. The process is killed, and its supervisor restarts it.`
    try {
      writeSync(1, `${JSON.stringify({ level: 60, time: Date.now(), pid: process.pid, msg })}\n`)
    } finally {
      // A thread can end the process by a signal only.
      process.kill(process.pid, 'SIGKILL')
    }
  }, tickMs)
}
