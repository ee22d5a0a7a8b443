// A thread ends with preemption and interrupts off: `imbalance` in the broken variant, nothing in the fixed one.
import { choice, model } from 'vmcheck'
import { disableInterrupts, disablePreemption, enableInterrupts, enablePreemption } from 'vmcheck/vm'

export default model({
  title: 'A thread ends with preemption and interrupts off',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'imbalance' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    if (variant === 'broken') {
      m.thread(
        function* a() {
          yield* disablePreemption()
          yield* disableInterrupts()
        },
        { on: m.cpu() },
      )
    } else {
      m.thread(
        function* a() {
          yield* disablePreemption()
          yield* disableInterrupts()
          yield* enableInterrupts()
          yield* enablePreemption()
        },
        { on: m.cpu() },
      )
    }
  },
})
