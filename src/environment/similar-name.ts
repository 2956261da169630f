/** Shorter names resemble variables of other programs too often. */
const minLength = 8

/** Whether a name is a known name with one typing error: a letter added, missing, wrong or swapped, or another case. */
export function isSimilarName(name: string, known: string): boolean {
  if (known.length < minLength || Math.abs(name.length - known.length) > 1) return false
  return typingErrors(name.toUpperCase(), known) <= 1
}

/** Counts typing errors, up to 2. */
function typingErrors(one: string, other: string): number {
  let start = 0
  while (start < one.length && one[start] === other[start]) start++
  const [left, right] = [one.slice(start), other.slice(start)]
  if (left === right) return 0
  const single =
    left.slice(1) === right.slice(1) ||
    left.slice(1) === right ||
    left === right.slice(1) ||
    (left[0] === right[1] && left[1] === right[0] && left.slice(2) === right.slice(2))
  return single ? 1 : 2
}
