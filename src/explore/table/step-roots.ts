import { type ArenaBuffers, arenaBuffers } from './arena.ts'

/** First word of the table's own roots; the words before it are no one's, so that no slot is 0. */
const FIRST_ROOT = 1

/** Arena for the step table of some actors, followed by further root slots for `extra` trees. */
export function stepArena(actors: number, localStates: number, extra: number): ArenaBuffers {
  return arenaBuffers(extraRoot(actors, localStates) + extra)
}

/** The first of the further root slots. */
export function extraRoot(actors: number, localStates: number): number {
  return FIRST_ROOT + 2 * actors * localStates
}

/**
 * The slot in which the tree of an actor's local state begins.
 *
 * @param table the actor's, of two tables an actor: with and without waiting for its CPU
 */
export function rootOf(table: number, localStates: number, local: number): number {
  return FIRST_ROOT + table * localStates + local
}
