// A thread alone on its CPU ends with preemption off: `imbalance` in the broken variant, nothing in the fixed one.
import { choice, model, pause } from 'vmcheck'
import { disablePreemption, enablePreemption } from 'vmcheck/vm'

export default model({
  title: 'A thread alone on its CPU ends with preemption off',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'imbalance' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    if (variant === 'broken') {
      m.thread(function* a() {
        yield* disablePreemption()
        yield* pause()
      })
    } else {
      m.thread(function* a() {
        yield* disablePreemption()
        yield* pause()
        yield* enablePreemption()
      })
    }
  },
})
