import type { Assumed } from './report.ts'

/** What is assumed, in words. */
export function describeAssumed(assumed: Assumed): string {
  switch (assumed.code) {
    case 'check-off':
      return `${assumed.check} check off`
    case 'pruned':
      return `${assumed.steps} steps end in what a check that is off would report; nothing beyond them is explored`
    case 'preemptions':
      return `preemptions <= ${assumed.bound}`
    case 'endless-spin':
      return `an endless actor that goes round in a loop of several steps makes progress, although it may change nothing (${assumed.actors.join(', ')})`
    case 'symmetry-sampled':
      return `the members of ${assumed.set} are interchangeable, which was checked by samples`
  }
}
