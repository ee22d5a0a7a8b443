import { readFile } from 'node:fs/promises'
import test from 'ava'
import fc from 'fast-check'
import { judge } from '../judge/agree.ts'
import { BUGS, planted } from '../soaks/bugs.ts'
import { COVERED, FOUND, add, coverageOf, coverageOfScheduled, nothing } from '../judge/coverage.ts'
import { programs } from '../judge/program.ts'
import { judgeScheduled } from '../judge/scheduled/agree.ts'
import { scheduled } from '../judge/scheduled/program.ts'

const SEED = 20_261_121

test('generated programs: interpreter, granularities, reductions and strategies agree on races, faults, stuck and wedged threads, and ends', async (t) => {
  const covered = nothing()
  for (const program of fc.sample(programs, { numRuns: 50, seed: SEED })) {
    const judged = await judge(program)
    add(covered, coverageOf(program, judged))
    if (judged.difference) {
      t.fail(judged.difference)
      return
    }
  }
  t.log(JSON.stringify(covered))
  for (const what of COVERED)
    if (what !== 'too large' && what !== 'given to SPIN') t.true(covered[what] >= 3, `${what}: ${covered[what]}`)
})

test('generated machines: what the interpreter finds, of threads that share CPUs, handlers, daemons, locks and properties of all kinds, every search finds', async (t) => {
  const covered = nothing()
  for (const program of fc.sample(scheduled, { numRuns: 100, seed: SEED })) {
    const judged = await judgeScheduled(program)
    add(covered, coverageOfScheduled(judged))
    if (judged.difference) {
      t.fail(judged.difference)
      return
    }
  }
  t.log(JSON.stringify(covered))
  for (const kind of FOUND) t.true(covered[`scheduled: ${kind}`] >= 1, kind)
})

test('the bugs that the judge is tried with can still be planted', async (t) => {
  for (const bug of BUGS) {
    for (const { file } of bug.edits) {
      const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8')
      t.not(planted(bug, file, text), text, bug.name)
    }
  }
})
