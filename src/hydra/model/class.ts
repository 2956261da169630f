// biome-ignore lint/suspicious/noExplicitAny: a constructor may have any parameters
export type Class<E extends object = object> = abstract new (...args: any[]) => E
