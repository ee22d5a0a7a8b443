import type { Check } from '../../model/check.ts'
import type { Granularity } from '../../semantics/step-bounds.ts'
import { Engine, NO_REDUCTION, engineRecipe } from '../search/engine.ts'
import type { LocalCapacity } from '../state/local-states.ts'
import { firstMemory } from '../store/allocation.ts'
import type { System } from '../state/system.ts'
import { TUNING } from '../store/tuning.ts'

/** Bits of every local state's number: states of paths are never packed again. */
const WIDTH = 20

/** An engine that takes single steps out of states given to it, rather than to store them: to follow executions. */
export function pathEngine(
  system: System,
  params: Readonly<Record<string, unknown>>,
  granularity: Granularity,
  checks: readonly Check[],
  localCapacity: LocalCapacity = { states: 1 << WIDTH, words: 1 << 24 },
): Engine {
  const tuning = { ...TUNING, firstWidth: WIDTH, segmentBits: 4, firstCapacity: 1 << 4, localCapacity }
  const recipe = engineRecipe(
    system,
    params,
    granularity,
    checks.map(({ name }) => name),
    'off',
    NO_REDUCTION,
    tuning,
  )
  const engine = new Engine(system, recipe, checks)
  engine.attach(firstMemory(engine.locals, tuning, 1, false))
  return engine
}
