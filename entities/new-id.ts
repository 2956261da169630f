import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

const idBytes = 16
/** Random bytes for many ids. Drawing those of one id costs more than making it. */
const pool = new Uint8Array(256 * idBytes)
let used = pool.length

/** The last id's time and its place among the ids of one millisecond. */
const last = { time: 0, place: 0 }

/** Makes an id that sorts by age, also among those of one millisecond (UUIDv7, RFC 9562 §5.7). */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const random = pool.subarray(used, used + idBytes)
  used += idBytes
  const now = Date.now()
  if (now > last.time) {
    last.time = now
    // Half of the range is left for the ids that follow in the same millisecond.
    last.place = ((random[6] & 0x7f) << 24) | (random[7] << 16) | (random[8] << 8) | random[9]
  } else last.place += 1
  return v7({ random, msecs: last.time, seq: last.place })
}
