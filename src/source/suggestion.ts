import { distance } from 'fastest-levenshtein'

/** Of the names that there are, the one that was probably meant: begun, with letters swapped, or nearly so; null: none. */
function nearest(word: string, names: readonly string[]): string | null {
  const begun = names.filter((name) => word.length > 1 && name.startsWith(word))
  const swapped = names.find((name) => lettersOf(name) === lettersOf(word))
  if (begun.length === 1 || swapped !== undefined) return swapped ?? (begun[0] as string)
  const [best] = names
    .map((name) => ({ name, off: distance(word.toLowerCase(), name.toLowerCase()) }))
    .toSorted((a, b) => a.off - b.off)
  return best && best.off <= Math.max(1, Math.floor(word.length / 3)) ? best.name : null
}

function lettersOf(word: string): string {
  return [...word.toLowerCase()].toSorted().join('')
}

/** `; did you mean fixed?`, or nothing. */
export function suggestion(word: string, names: readonly string[]): string {
  const name = nearest(word, names)
  return name === null ? '' : `; did you mean ${name}?`
}
