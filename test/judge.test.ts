import test from 'ava'
import fc from 'fast-check'
import { judge } from './judge/agree.ts'
import { programs } from './judge/program.ts'

test('generated programs: interpreter, steps and single accesses agree on races, stuck and wedged threads, and ends', async (t) => {
  const covered = { race: 0, stuck: 0, wedged: 0, clean: 0 }
  for (const program of fc.sample(programs, { numRuns: 300, seed: 20_261_121 })) {
    const { outcome, difference } = await judge(program)
    if (!outcome) continue
    if (outcome.race) covered.race++
    else if (outcome.stuck.size > 0) covered.stuck++
    else if (outcome.wedged !== '') covered.wedged++
    else covered.clean++
    if (difference) {
      t.fail(difference)
      return
    }
  }
  t.true(covered.race > 30 && covered.stuck > 30 && covered.wedged > 10 && covered.clean > 30, JSON.stringify(covered))
})
