import { hangs } from '../hangs/hangs.ts'
import type { Range } from '../store/store-buffers.ts'
import type { Check } from '../../model/check.ts'
import type { Engine } from './engine.ts'
import type { SearchLog } from './search-log.ts'
import type { SweepTask } from './search-worker.ts'

/** What the hang check of a finished search needs. */
export interface HangPhase {
  readonly engine: Engine
  readonly checks: readonly Check[]
  readonly log: SearchLog
  /** Levels with fewer states than this are left to one worker. */
  readonly narrow: number
  /** Whether the search is to end early. */
  isStopped(): boolean
  /** Sweeps over some states, on every worker if it may be shared; whether anything new became known. */
  sweep(ranges: readonly Range[], kind: SweepTask['kind'], isChain: boolean): Promise<boolean>
}

/**
 * Finds out who can never move again: wanderings, which tell most of it soon, then backward sweeps over all states to a
 * fixed point, twice from the last level on for each time from the first, then what they show (see {@link hangs}).
 */
export async function findHangs(phase: HangPhase): Promise<void> {
  const { engine, checks, log, narrow } = phase
  const levels = log.levels.map(({ ranges }) => ranges)
  // along a chain threads would only wait for what the others are about to find out
  const isChain = engine.store.size / levels.length < narrow
  const backwards = levels.toReversed().flat()
  // a state whose successors all lie on its level, or before it, is told by the second pass as often as not
  const orders = [backwards, backwards, levels.flat()]
  // wanderers note what they meet under the names that it has where they are
  if (!engine.symmetry && !engine.persistentSets) await phase.sweep(backwards, 'wander', isChain)
  for (let pass = 0; await phase.sweep(orders[pass % orders.length] as readonly Range[], 'sweep', isChain); pass++)
    if (phase.isStopped()) return
  if (phase.isStopped()) return
  for (const finding of hangs(engine, checks, levels)) log.keepFirst(finding)
}
