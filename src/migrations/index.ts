import { Initial1764000000000 } from './1764000000000-initial.ts'
import { Rules1764000000001 } from './1764000000001-rules.ts'

/** In the order in which they are applied. */
export const migrations = [Initial1764000000000, Rules1764000000001]
