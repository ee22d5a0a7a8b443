/** Hues that are told apart, also by most who do not see all colours, and readable on light and dark. */
const HUES = [212, 28, 330, 160, 272, 52, 0, 190]

/**
 * A colour for a name.
 *
 * @param among all names that get one, in the order in which they are met
 */
export function colourOf(name: string, among: readonly string[]): string {
  const at = among.indexOf(name)
  // beyond the first few, shades tell them apart
  return at < 0
    ? 'hsl(0 0% 50%)'
    : `hsl(${HUES[at % HUES.length]} 65% ${50 - 14 * (Math.floor(at / HUES.length) % 3)}%)`
}
