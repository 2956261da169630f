import { execFile } from 'node:child_process'

/** The output and the exit code of a program. */
export interface Run {
  code: number
  output: string
}

/** Runs a program of a package with Node, as a shell would. */
export function run(program: string, ...args: string[]): Promise<Run> {
  const options = { timeout: 20_000, env: { ...process.env, NODE_OPTIONS: '' } }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [`node_modules/${program}`, ...args], options, (_, out, err) => {
      resolve({ code: child.exitCode ?? -1, output: out + err })
    })
  })
}
