import type { Class } from './class.ts'

/**
 * An entity that the plain writers take. A class with effects on other rows declares a `writer`: the one file that writes it.
 * The compiler then refuses it in every plain writer.
 */
export type PlainEntity = object & { version?: number; writer?: undefined }

/** Creates an entity of a class. */
export function createEntity<E extends object>(type: Class<E>): E {
  return new (type as unknown as new () => E)()
}

/** Copies an entity. The copy is changed, and the original is kept to find the changes. */
export function copyEntity<E extends object>(entity: E): E {
  return Object.assign(Object.create(Object.getPrototypeOf(entity)), entity)
}
