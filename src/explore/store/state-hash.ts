/**
 * One word's part in the hash of a state; the parts are combined by exclusive or, so that a change of one word
 * replaces one part.
 */
export function hashPart(word: number, value: number): number {
  let part = Math.imul(value ^ Math.imul(word + 1, 0x9e3779b1), 0x85ebca6b)
  part = Math.imul(part ^ (part >>> 15), 0xc2b2ae35)
  return part ^ (part >>> 14)
}

/** A 32-bit hash of the words of `states` from `at` on. */
export function hashState(states: Int32Array, at: number, words: number): number {
  let hash = 0
  for (let i = 0; i < words; i++) hash ^= hashPart(i, states[at + i] as number)
  return hash
}
