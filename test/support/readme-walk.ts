import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A command that a guide shows after `$ `, and the answer that it shows below. */
export interface Step {
  command: string
  shown: string
}

/** A block of a Markdown file that shows commands, and the heading above it. */
export interface Block {
  heading: string
  steps: Step[]
}

/** The blocks of a Markdown file in which lines begin with `$ `. */
export function blocksOf(file: string): Block[] {
  const sections = readFileSync(file, 'utf8').split(/^#+ /m)
  return sections.flatMap((section) =>
    [...section.matchAll(/^( *)```\w*\n([\s\S]*?)^\1```$/gm)]
      .map(([, indent, text]) => steps(text.replaceAll(new RegExp(`^${indent}`, 'gm'), '')))
      .filter((steps) => steps.length > 0)
      .map((steps) => ({ heading: section.slice(0, section.indexOf('\n')), steps })),
  )
}

/** A line that ends with a backslash goes on in the next one. */
function steps(block: string): Step[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [, command, shown] = /^((?:.*\\\n)*.*)\n?([\s\S]*)$/.exec(step) as RegExpExecArray
      return { command, shown }
    })
}

/** The values that differ between runs: ids, times, secrets, hashes, and the suffix of a slug that is taken. */
const varying: [shown: RegExp, pattern: string][] = [
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'],
  [/20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ'],
  [/pi_\w{24}_secret_\w{24}/g, 'pi_\\w{24}_secret_\\w{24}'],
  [/[0-9a-f]{64}/g, '[0-9a-f]{64}'],
  [/"now": \d{10}/g, '"now": \\d{10}'],
  [/"slug":"walk"/g, '"slug":"walk(?:-[0-9a-f]{8})?"'],
]

/** Matches what the README shows: `…` stands for anything, and lines are broken for reading only. */
export function patternOf(shown: string): RegExp {
  const literal = shown.replaceAll('\n', '').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const filled = varying.reduce((text, [from, to]) => text.replaceAll(from, () => to), literal)
  return new RegExp(`^${filled.replaceAll(/ *… */g, '.*')}$`)
}

/** The server as `npm start` starts it, in a process group of its own. */
export class Started {
  private said = ''

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (this.said += text))
  }

  /** Starts the server and waits until it has printed everything that a reader is told about. */
  static async at(environment: NodeJS.ProcessEnv): Promise<Started> {
    const started = new Started(spawn('npm', ['start'], { env: environment, detached: true }))
    const hasPrinted = () =>
      /a local Kontomatik at/.test(started.said) && /in with a browser: \S+\/session/.test(started.said)
    for (let tries = 0; !hasPrinted(); tries += 1) {
      if (tries > 600 || started.child.exitCode !== null) throw new Error(`The server does not start:\n${started.said}`)
      await sleep(100)
    }
    return started
  }

  /** Presses Ctrl-C. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = once(this.child, 'exit')
    process.kill(-(this.child.pid as number), 'SIGINT')
    await ended
  }
}

/** One shell in which commands are typed one after another. */
export class Terminal {
  private said = ''
  private readonly child: ChildProcess

  constructor(environment: NodeJS.ProcessEnv) {
    this.child = spawn('bash', ['--noprofile', '--norc'], { env: environment })
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.on('data', (text) => (this.said += text))
  }

  /** Runs a command, and gives all that it says; its status, too, where that is not 0. */
  async run(command: string): Promise<string> {
    this.said = ''
    const quoted = `'${command.replaceAll("'", `'\\''`)}'`
    this.child.stdin?.write(`eval ${quoted} </dev/null 2>&1; printf '\\n%s:%s\\n' done $?\n`)
    for (;;) {
      const [, output, status] = /^([\s\S]*)\ndone:(\d+)\n$/.exec(this.said) ?? []
      if (status !== undefined) return status === '0' ? output : `${output}\nexit status ${status}`
      await sleep(10)
    }
  }

  close(): void {
    this.child.kill()
  }
}
