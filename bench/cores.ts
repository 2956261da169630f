import { spawnSync } from 'node:child_process'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { processTree } from './cpu.ts'

const hasTaskset = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0

/** The servers and Postgres share the first core, so what one saves another can use. The load generator has the second. */
export const cores = { servers: '1', load: '0' }

/** Moves processes, with their threads and descendants, to a core. */
export function pin(core: string, ...pids: number[]): void {
  if (!hasTaskset) return
  for (const pid of processTree(pids)) spawnSync('taskset', ['-acp', core, String(pid)])
}

/** One sentence about the machine, for a reader of the figures. */
export function describeMachine(postgres: string): string {
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  const pinned = hasTaskset
    ? 'The server and Postgres share one core; the load generator has another.'
    : 'The processes are not pinned to cores.'
  return `${cpus()[0].model.trim()}, ${cpus().length} cores, ${gigabytes} GB; ${process.platform} ${release()}, Node ${process.version}, Postgres ${postgres}. ${pinned}`
}
