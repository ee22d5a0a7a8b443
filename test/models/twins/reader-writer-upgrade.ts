// Reader/writer upgrade: `deadlock` in the broken variant, nothing in the fixed one.
import { choice, model } from 'vmcheck'
import { SleepLock } from 'vmcheck/vm'

export default model({
  title: 'Reader/writer upgrade',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'deadlock' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const rw = new SleepLock(m, 'rw')
    m.cpus(2, () =>
      variant === 'broken'
        ? function* up() {
            yield* rw.read()
            yield* rw.write()
            yield* rw.release()
            yield* rw.release()
          }
        : function* up() {
            yield* rw.read()
            yield* rw.release()
            yield* rw.write()
            yield* rw.release()
          },
    )
  },
})
