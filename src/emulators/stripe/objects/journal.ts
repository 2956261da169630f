import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Store, StoredChange } from './store.ts'

/** Changes could not be written down, as the disk is full or broken; none of them was made. */
export class JournalWriteError extends Error {}

/** A file that every change is written to, from which an account is taken up again after a restart. */
export class Journal {
  private file: number | undefined
  /** Bytes of whole lines. */
  private length = 0

  constructor(private readonly path: string) {}

  /** Takes up what was written, and writes it again without what has changed since, where the disk has room for that. */
  open(store: Store): void {
    mkdirSync(dirname(this.path), { recursive: true })
    for (const entry of this.read()) store.restore(entry)
    const draft = `${this.path}.new`
    try {
      writeFileSync(draft, store.snapshot().map(toLine).join(''))
      renameSync(draft, this.path)
    } catch (error) {
      rmSync(draft, { force: true })
      if (!existsSync(this.path)) throw error
      truncateSync(this.path, this.length)
    }
    this.file = openSync(this.path, 'a')
    this.length = fstatSync(this.file).size
  }

  /**
   * The entries of one change are one line, so that a restart finds all of them or none.
   * @throws Unwritten
   */
  append(entries: StoredChange[]): void {
    if (this.file === undefined || entries.length === 0) return
    const line = Buffer.from(toLine(entries))
    try {
      // Cuts off what an earlier failure may have left of a line.
      ftruncateSync(this.file, this.length)
      for (let written = 0; written < line.length; ) written += writeSync(this.file, line, written)
      this.length += line.length
    } catch (error) {
      throw new JournalWriteError(`${this.path} cannot be written: ${(error as Error).message}`, { cause: error })
    }
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file)
    this.file = undefined
  }

  /** A last line that a crash or a full disk cut short is left out. */
  private read(): StoredChange[] {
    if (!existsSync(this.path)) return []
    const written = readFileSync(this.path, 'utf8')
    const whole = written.slice(0, written.lastIndexOf('\n') + 1)
    this.length = Buffer.byteLength(whole)
    return whole
      .split('\n')
      .slice(0, -1)
      .flatMap((line, index) => this.parsed(line, index + 1))
  }

  private parsed(line: string, number: number): StoredChange[] {
    try {
      return [JSON.parse(line)].flat()
    } catch {
      throw new Error(`${this.path} is damaged at line ${number}: move it away, and Stripe starts empty.`)
    }
  }
}

function toLine(entries: StoredChange | StoredChange[]): string {
  return `${JSON.stringify(entries)}\n`
}
