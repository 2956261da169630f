import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts CPU time in clock ticks. USER_HZ is 100 on every platform. */
const ticksPerSecond = 100

/** The CPU time in milliseconds that processes and all their descendants have used; 0 where the system is not Linux. */
export function cpuOf(...roots: number[]): number {
  const processes = runningProcesses()
  const tree = treeOf(roots, processes)
  const ticks = processes.filter(({ pid }) => tree.has(pid)).reduce((sum, { used }) => sum + used, 0)
  return (ticks * 1000) / ticksPerSecond
}

/** The ids of processes and all their descendants. */
export function processTree(roots: number[]): number[] {
  return [...treeOf(roots, runningProcesses())]
}

interface Stat {
  pid: number
  parent: number
  used: number
}

function treeOf(roots: number[], processes: Stat[]): Set<number> {
  const tree = new Set(roots)
  for (let size = 0; size !== tree.size; ) {
    size = tree.size
    for (const { pid, parent } of processes) if (tree.has(parent)) tree.add(pid)
  }
  return tree
}

function runningProcesses(): Stat[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => statOf(Number(pid)))
}

/** The user and system time of a process and of its ended children (proc(5)). */
function statOf(pid: number): Stat[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return [
      { pid, parent: Number(fields[1]), used: fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) },
    ]
  } catch {
    return []
  }
}
