import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Entry, Store } from './store.ts'

/** A file that every change is written to, from which an account is taken up again after a restart. */
export class Journal {
  private file: number | undefined

  constructor(private readonly path: string) {}

  /** Takes up what was written, then writes it anew without what has been changed since. */
  open(store: Store): void {
    mkdirSync(dirname(this.path), { recursive: true })
    for (const entry of this.read()) store.restore(entry)
    const draft = `${this.path}.new`
    writeFileSync(draft, lines(store.everything()))
    renameSync(draft, this.path)
    this.file = openSync(this.path, 'a')
  }

  append(entries: Entry[]): void {
    if (this.file !== undefined && entries.length) writeSync(this.file, lines(entries))
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file)
    this.file = undefined
  }

  /** A last line that a crash cut short is left out. */
  private read(): Entry[] {
    if (!existsSync(this.path)) return []
    const written = readFileSync(this.path, 'utf8').split('\n')
    written.pop()
    return written.map((line) => JSON.parse(line))
  }
}

function lines(entries: Entry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
}
