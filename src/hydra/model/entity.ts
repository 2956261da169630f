import type { Class } from './class.ts'

/** Makes a new entity, whatever its constructor is called. */
export function createEntity<E extends object>(type: Class<E>): E {
  return new (type as unknown as new () => E)()
}

/** Another entity in the same state, to be changed while the first is kept to compare with. */
export function copyEntity<E extends object>(entity: E): E {
  return Object.assign(Object.create(Object.getPrototypeOf(entity)), entity)
}
