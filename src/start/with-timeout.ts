/** Waits for something, but no longer than that; tells whether it has come by then. */
export async function withTimeout(milliseconds: number, something: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  try {
    return await Promise.race([something.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
