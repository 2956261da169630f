import type { ObjectsByType } from './billing-objects.ts'
import type { StripeObject } from './objects.ts'

type Kind = keyof ObjectsByType

/** A changed object; `thing` is null if the change removed it. */
export interface StoredChange {
  kind: string
  id: string
  thing: StripeObject | null
}

export const clone = <T>(value: T): T => structuredClone(value)

/** All things by kind and id, the newest last; a request's changes are kept together or undone together. */
export class Store {
  private readonly tables = new Map<string, Map<string, StripeObject>>()
  private undo: (() => void)[] = []
  private readonly changed = new Map<string, StoredChange>()

  find<K extends Kind>(kind: K, id: string | null | undefined): ObjectsByType[K] | undefined {
    return id ? this.table(kind).get(id) : undefined
  }

  all<K extends Kind>(kind: K): Iterable<ObjectsByType[K]> {
    return this.table(kind).values()
  }

  newest<K extends Kind>(kind: K): ObjectsByType[K][] {
    return [...this.table(kind).values()].reverse()
  }

  size(kind: Kind): number {
    return this.table(kind).size
  }

  add<T extends StripeObject>(thing: T): T {
    const table = this.rows(thing.object)
    table.set(thing.id, thing)
    this.undo.push(() => table.delete(thing.id))
    return this.markChanged(thing)
  }

  /** Gives back what the thing was before. */
  change<T extends StripeObject>(thing: T, edit: (thing: T) => void): T {
    const before = clone(thing)
    this.undo.push(() => {
      for (const name of Object.keys(thing)) Reflect.deleteProperty(thing, name)
      Object.assign(thing, before)
    })
    edit(thing)
    this.markChanged(thing)
    return before
  }

  remove(thing: StripeObject): void {
    const table = this.rows(thing.object)
    const rows = [...table]
    table.delete(thing.id)
    this.undo.push(() => {
      table.clear()
      for (const [id, row] of rows) table.set(id, row)
    })
    this.changed.set(`${thing.object} ${thing.id}`, { kind: thing.object, id: thing.id, thing: null })
  }

  /** Lets go of the oldest beyond a number; not to be undone. */
  trim(kind: Kind, most: number): void {
    const table = this.rows(kind)
    for (const id of table.keys()) {
      if (table.size <= most) return
      table.delete(id)
      this.changed.set(`${kind} ${id}`, { kind, id, thing: null })
    }
  }

  /** The changes since the last commit. */
  changes(): StoredChange[] {
    return [...this.changed.values()]
  }

  commit(): void {
    this.undo = []
    this.changed.clear()
  }

  rollback(): void {
    for (const step of this.undo.reverse()) step()
    this.commit()
  }

  /** Takes up what a journal kept. */
  restore({ kind, id, thing }: StoredChange): void {
    if (thing) this.rows(kind).set(id, thing)
    else this.rows(kind).delete(id)
  }

  snapshot(): StoredChange[] {
    return [...this.tables].flatMap(([kind, rows]) => [...rows].map(([id, thing]) => ({ kind, id, thing })))
  }

  private markChanged<T extends StripeObject>(thing: T): T {
    this.changed.set(`${thing.object} ${thing.id}`, { kind: thing.object, id: thing.id, thing })
    return thing
  }

  private table<K extends Kind>(kind: K): Map<string, ObjectsByType[K]> {
    return this.rows(kind) as Map<string, ObjectsByType[K]>
  }

  private rows(kind: string): Map<string, StripeObject> {
    const rows = this.tables.get(kind) ?? new Map<string, StripeObject>()
    this.tables.set(kind, rows)
    return rows
  }
}
