/** Asks until the answer is as it should be, and fails as it failed last after a while: for what jobs do in the background. */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  expected: (answer: T) => void = () => {},
  seconds = 10,
): Promise<T> {
  const end = Date.now() + seconds * 1000
  for (;;)
    try {
      const answer = await ask()
      expected(answer)
      return answer
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
}
