import { openWorld } from '../world.ts'
import type { Pooler } from './pooler.ts'

/** The world of a test file whose server reaches Postgres through a pooler. Imported before all that opens a world. */
const world = await openWorld({ pooled: true })

export const pooledWorld = { ...world, pooler: world.pooler as Pooler }
