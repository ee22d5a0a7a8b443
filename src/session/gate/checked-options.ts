import { OBJECT, YES, shown } from '../../source/kinds.ts'
import { UsageError } from '../../source/usage-error.ts'
import { FUNCTION, type Kinds, NUMBER, SURROUNDINGS, TEXT, TEXTS, checkOptions } from '../checked-options.ts'
import type { GateOptions } from './gate.ts'

const GATE: Kinds<GateOptions> = {
  config: ['a path or a configuration', (value) => TEXT[1](value) || OBJECT[1](value)],
  baseline: TEXT,
  update: YES,
  changedSince: TEXT,
  resultCache: TEXT,
  time: NUMBER,
  workers: NUMBER,
}

/**
 * Checks the names and kinds of what a caller of {@link gate} gives.
 * @throws UsageError for an option that there is not, or one of another kind
 */
export function checkGateOptions(paths: unknown, options: object): void {
  if (!TEXTS[1](paths)) throw new UsageError(`gate: the paths are a list of texts, not ${shown(paths)}`)
  checkOptions('gate', options, { ...GATE, ...SURROUNDINGS, onResult: FUNCTION })
}
