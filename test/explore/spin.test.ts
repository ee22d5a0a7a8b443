import test from 'ava'
import fc from 'fast-check'
import { judgeBySpin } from '../judge/agree.ts'
import { programs } from '../judge/program.ts'
import { hasSpin } from '../judge/promela.ts'

test('generated programs: SPIN gives the same verdicts and the same number of states', async (t) => {
  if (!(await hasSpin())) {
    t.log('spin is not installed')
    t.pass()
    return
  }
  for (const program of fc.sample(programs, { numRuns: 15, seed: 20_261_121 })) t.is(await judgeBySpin(program), null)
})
