import { distance } from 'fastest-levenshtein'

/** Of the names that there are, the one that was probably meant; null: none is near. */
function nearest(word: string, names: readonly string[]): string | null {
  const [best] = names
    .map((name) => ({ name, off: distance(word.toLowerCase(), name.toLowerCase()) }))
    .toSorted((a, b) => a.off - b.off)
  return best && best.off <= Math.max(1, Math.floor(word.length / 3)) ? best.name : null
}

/** `; did you mean fixed?`, or nothing. */
export function suggestion(word: string, names: readonly string[]): string {
  const name = nearest(word, names)
  return name === null ? '' : `; did you mean ${name}?`
}
