import type { Actor } from '../src/model/index.ts'

/** An actor in short: `CPU 0` where nobody shares it. */
export function short(actor: Actor): string {
  return actor.cpu.state ? actor.label : actor.cpu.name
}

/** `a, b and c`. */
export function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
