import { Refusal } from '../../source/refusal.ts'
import { AsymmetryError } from './asymmetry.ts'
import type { UnusedSet } from './sets.ts'

/**
 * Searches, and again without a set of CPUs that turned out not to be interchangeable, until all that are taken to be are.
 *
 * @param search given the sets found out so far
 * @param known those that were found out before
 * @throws Refusal when a set is declared interchangeable and is not
 */
export async function withoutUnlike<T>(
  search: (unlike: readonly UnusedSet[]) => Promise<T>,
  known: readonly UnusedSet[] = [],
): Promise<T> {
  const unlike = [...known]
  for (;;) {
    try {
      return await search(unlike)
    } catch (error) {
      if (!(error instanceof AsymmetryError)) throw error
      if (error.isDeclared)
        throw new Refusal(
          `${error.set} is declared interchangeable, but ${error.message}: do not declare it so, or explore with --reduce none`,
          error.at,
        )
      unlike.push({ name: error.set, reason: error.message })
    }
  }
}
