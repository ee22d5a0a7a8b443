/** A colour for a name: the same on every page, and readable on light and dark. */
export function colourOf(name: string): string {
  let hash = 0
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) as number)) >>> 0
  return `hsl(${(hash * 47) % 360} 60% 50%)`
}
