/** The public entry `vmcheck/checks`, and the register: a new check is one file and one line here. */
import type { Check } from '../src/index.ts'
import { assertion } from './assertion.ts'
import { atRest } from './at-rest.ts'
import { dataRace } from './data-race.ts'
import { exception } from './exception.ts'
import { imbalance } from './imbalance.ts'
import { invariant } from './invariant.ts'
import { range } from './range.ts'
import { sleepInAtomic } from './sleep-in-atomic.ts'
import { stuck } from './stuck.ts'
import { unreached } from './unreached.ts'
import { useAfterFree } from './use-after-free.ts'

/** All checks. */
export const checks: readonly Check[] = [
  stuck,
  assertion,
  invariant,
  atRest,
  dataRace,
  useAfterFree,
  range,
  exception,
  sleepInAtomic,
  imbalance,
  unreached,
]

export {
  assertion,
  atRest,
  dataRace,
  exception,
  imbalance,
  invariant,
  range,
  sleepInAtomic,
  stuck,
  unreached,
  useAfterFree,
}
