import test from 'ava'
import fc from 'fast-check'
import { formatSchedule, parseSchedule } from '../../src/trace/schedule.ts'

const schedules = fc.array(fc.record({ actor: fc.nat(29), choices: fc.array(fc.nat(12), { maxLength: 3 }) }), {
  maxLength: 40,
})

test('a schedule comes back from its text', (t) => {
  fc.assert(
    fc.property(schedules, (schedule) => {
      t.deepEqual(parseSchedule(formatSchedule(schedule)), schedule)
    }),
  )
})

test('an unreadable schedule is refused with the place', (t) => {
  t.throws(() => parseSchedule('0x3'), { message: /starts with "v1:"/ })
  t.throws(() => parseSchedule('v1:0,?'), { message: /character 6/ })
})
