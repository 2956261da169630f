import { type Caller, tenantOf } from '../../model/caller.ts'
import { Problem } from '../../model/problem.ts'

/** Open streams that a process allows. A browser needs one, which its tabs share. */
const limits = { caller: 10, tenant: 500, process: 5000 }

/** Counts the open streams of a process. */
export class StreamLimits {
  private readonly open = new Map<string, number>()

  /** Counts one more stream. @returns a function that frees it; @throws Problem 429 above a limit */
  take({ bearer, ...caller }: Caller, tenant: string): () => void {
    const own = bearer ? JSON.stringify([bearer.issuer, bearer.subject]) : tenantOf(caller)
    const keys = { caller: `caller ${own}`, tenant: `tenant ${tenant}`, process: '' }
    for (const [whose, key] of Object.entries(keys) as [keyof typeof limits, string][])
      if ((this.open.get(key) ?? 0) >= limits[whose])
        throw new Problem(
          429,
          `${limits[whose]} streams are open, which is the limit of a ${whose}. Close others first.`,
          {
            'Retry-After': '30',
          },
        )
    for (const key of Object.values(keys)) this.open.set(key, (this.open.get(key) ?? 0) + 1)
    return () => {
      for (const key of Object.values(keys)) {
        const left = (this.open.get(key) ?? 1) - 1
        if (left > 0) this.open.set(key, left)
        else this.open.delete(key)
      }
    }
  }
}
