// Whether a program does the same lowered as natively, or is refused with its place: there is no third outcome.
import fc from 'fast-check'
import { Refusal } from '../../../src/source/refusal.ts'
import { type Storing, lowered, runLowered, runNative } from './differential.ts'
import { programs } from './generator.ts'

const STORINGS: readonly Storing[] = [
  { poison: undefined, atAccesses: false },
  { poison: Symbol('dead'), atAccesses: true },
]

/** How many programs agreed, and how many were refused. */
export interface Tally {
  agreed: number
  refused: number
}

/** Why two runs differ; null: they do not, or the program is refused, with its place. */
export function difference(
  text: string,
  native: string,
  entry: string,
  seeds: readonly number[],
  tally?: Tally,
): string | null {
  const code = lowered(text)
  const refusal = (found: Refusal): string | null => {
    if (tally) tally.refused++
    return found.at ? null : `refused without a place: ${found.message}`
  }
  if (code instanceof Refusal) return refusal(code)
  for (const seed of seeds) {
    const expected = runNative(native, entry, seed)
    for (const storing of STORINGS) {
      const got = runLowered(code, entry, seed, storing)
      if (got instanceof Refusal) return refusal(got)
      const at = expected.findIndex((event, i) => event !== got[i])
      if (at >= 0 || got.length !== expected.length)
        return `seed ${seed}, event ${at}: ${expected[at]} natively, ${got[at]} lowered`
    }
  }
  if (tally) tally.agreed++
  return null
}

/** That generated programs agree, each with two seeds for what its operations give. */
export function generatedAgree(tally: Tally): fc.IProperty<[string, number]> {
  return fc.property(programs(), fc.nat(1000), (text, seed) => {
    const found = isProgram(text) ? difference(text, text, 'main', [seed, seed + 1], tally) : null
    if (found !== null) throw new Error(found)
  })
}

/** Some generated texts are none, such as a break out of no loop. */
function isProgram(text: string): boolean {
  try {
    return typeof new Function(text) === 'function'
  } catch {
    return false
  }
}
