import { list } from '../source/texts.ts'
import { plural } from './numbers.ts'
import type { Assumed } from './report.ts'

/** What is assumed, in words. */
export function describeAssumed(assumed: Assumed): string {
  switch (assumed.code) {
    case 'check-off':
      return `${assumed.check} check off`
    case 'pruned':
      return `${assumed.steps} steps end in what a check that is off would report; nothing beyond them is explored`
    case 'within':
      return `nothing is explored beyond ${list(assumed.properties.map((name) => `“${name}”`))}: ${plural(assumed.states, 'state')} ${assumed.states === 1 ? 'lies' : 'lie'} there`
    case 'preemptions':
      return `preemptions <= ${assumed.bound}`
    case 'endless-spin':
      return `an endless actor that repeats a loop of several steps makes progress, although it may change nothing (${assumed.actors.join(', ')})`
    case 'symmetry-sampled':
      return `the members of ${assumed.set} are interchangeable, which was checked by samples`
  }
}

/** The texts of all assumptions as one line: the checks that are off in one list. */
export function assumptionsLine(assumptions: readonly string[]): string {
  const off = assumptions.flatMap((text) => /^(\S+) check off$/.exec(text)?.[1] ?? [])
  if (off.length < 2) return assumptions.join('; ')
  return [`the checks ${list(off)} are off`, ...assumptions.filter((text) => !/^\S+ check off$/.test(text))].join('; ')
}
