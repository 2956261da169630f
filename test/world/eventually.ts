/** Asks again until the answer passes, for what a job does in the background. */
export async function eventually<T>(ask: () => Promise<T>, passes: (found: T) => boolean, within = 10_000): Promise<T> {
  for (const end = Date.now() + within; ; ) {
    const found = await ask()
    if (passes(found)) return found
    if (Date.now() > end) throw new Error(`It has not come to that: ${JSON.stringify(found)}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
