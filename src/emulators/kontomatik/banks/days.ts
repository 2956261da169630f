const milliseconds = 24 * 60 * 60 * 1000

/** Days since 1970 of YYYY-MM-DD; nothing if there is no such day. */
export function dayNumber(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined
  const number = Date.parse(`${text}T00:00:00Z`) / milliseconds
  return Number.isInteger(number) && dateOf(number) === text ? number : undefined
}

export function dateOf(number: number): string {
  return new Date(number * milliseconds).toISOString().slice(0, 10)
}
