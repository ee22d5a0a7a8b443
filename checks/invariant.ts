import type { Check, Finding, StateView } from '../src/index.ts'
import { faultCheck } from './fault.ts'

function* broken(state: StateView): Iterable<Finding> {
  for (const property of state.properties) {
    const { form, name } = property
    if (form !== 'always' && !(form === 'when-free' && state.initial)) continue
    const holds = state.evaluate(property)
    if (holds === true) continue
    const where = form === 'always' ? 'in every state' : 'in the initial state'
    yield {
      kind: 'invariant',
      property: name,
      message: `"${name}" does not hold, as it should ${where}${holds === false ? '' : `: ${holds}`}`,
    }
  }
}

/** `m.always` in every stored state; `m.invariant` in the initial state and, as a fault, in steps that release its lock. */
export const invariant: Check = {
  ...faultCheck('invariant', 'invariants hold: always, and when their lock is released'),
  evaluates: ['always'],
  occasions: ['initial', 'broken'],
  state: (state) => [...broken(state)],
}
