import { execFile } from 'node:child_process'

/** What a program printed, and the number it ended with. */
export interface Run {
  code: number
  output: string
}

/** Runs a program of a package as a shell would, with Node. */
export function run(program: string, ...args: string[]): Promise<Run> {
  const options = { timeout: 20_000, env: { ...process.env, NODE_OPTIONS: '' } }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [`node_modules/${program}`, ...args], options, (_, out, err) => {
      resolve({ code: child.exitCode ?? -1, output: out + err })
    })
  })
}
