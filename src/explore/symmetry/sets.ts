import { Refusal } from '../../source/refusal.ts'
import type { System } from '../state/system.ts'
import { type AlikeSet, UnlikeError, alike } from './alike.ts'

/** A set that is not used, and why, where that is worth saying. */
export interface UnusedSet {
  readonly name: string
  readonly reason: string
}

/**
 * The sets of interchangeable members of a machine.
 *
 * @param without sets known not to be
 * @throws Refusal when a set is declared interchangeable and is not
 */
export function interchangeableSets(
  system: System,
  without: readonly string[] = [],
): { readonly sets: readonly AlikeSet[]; readonly unused: readonly UnusedSet[] } {
  const sets: AlikeSet[] = []
  const unused: UnusedSet[] = []
  for (const set of system.machine.interchangeable) {
    if (without.includes(set.name)) continue
    try {
      sets.push(alike(set, system))
    } catch (error) {
      if (!(error instanceof UnlikeError)) throw error
      if (set.isDeclared) throw new Refusal(`${set.name} is declared interchangeable, but ${error.message}`, null)
      if (!error.isObvious) unused.push({ name: set.name, reason: error.message })
    }
  }
  return { sets, unused }
}
