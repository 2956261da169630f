/** Shorter names are too near to variables of other programs. */
const shortest = 8

/** Whether a name is another one with a single slip: a letter too many, missing, wrong or swapped, or another case. */
export function isSimilarName(name: string, known: string): boolean {
  if (known.length < shortest || Math.abs(name.length - known.length) > 1) return false
  return slips(name.toUpperCase(), known) <= 1
}

/** 0 or 1; any number above 1 stands for more. */
function slips(one: string, other: string): number {
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
