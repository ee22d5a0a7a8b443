// Judges generated programs, on every core, for a given time or up to a given number of each family:
// node dist/test/soaks/judge.js --minutes 5 | --programs 1000 [--seed N] [--workers N]
import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { judge, judgeBySpin } from '../judge/agree.ts'
import { COVERED, type Covered, FOUND, add, coverageOf, coverageOfScheduled, nothing } from '../judge/coverage.ts'
import { programs } from '../judge/program.ts'
import { hasSpin } from '../judge/promela.ts'
import { judgeScheduled } from '../judge/scheduled/agree.ts'
import { scheduled } from '../judge/scheduled/program.ts'
import { numberOption } from '../harness/options.ts'

const most = numberOption('--programs', Infinity)
const minutes = numberOption('--minutes', most < Infinity ? Infinity : 1)
const seed = numberOption('--seed', Date.now() % 1_000_000)
const workers = numberOption('--workers', availableParallelism())
/** Which of the workers this one is. */
const turn = numberOption('--turn', 0)

/** What judging for a while came to. */
interface Soaked {
  readonly covered: Covered
  /** The first disagreement, or null. */
  readonly difference: string | null
}

/** Programs that are judged out of one seed. */
const ROUND = 100

/** Judges programs of both families by turns until the time is over or there were enough; returns what they covered, and the first disagreement. */
async function soak(): Promise<Soaked> {
  const end = performance.now() + minutes * 60_000
  const covered = nothing()
  for (let number = turn; number < most; number += workers) {
    const [round, i] = [seed + Math.floor(number / ROUND), number % ROUND]
    const [program, machine] = [
      fc.sample(programs, { numRuns: ROUND, seed: round })[i],
      fc.sample(scheduled, { numRuns: ROUND, seed: round })[i],
    ]
    if (!program || !machine || performance.now() >= end) break
    const judged = await judge(program)
    add(covered, coverageOf(program, judged))
    if (judged.difference !== null) return { covered, difference: `seed ${round}, program ${i}: ${judged.difference}` }
    const also = await judgeScheduled(machine)
    add(covered, coverageOfScheduled(also))
    if (also.difference !== null)
      return { covered, difference: `seed ${round}, scheduled program ${i}: ${also.difference}` }
  }
  return { covered, difference: null }
}

/** Gives programs to SPIN, one after another and with pauses, for it takes a second to compile one; as long as the others are judged. */
async function soakWithSpin(until: AbortSignal): Promise<Soaked> {
  const covered = nothing()
  if (!(await hasSpin())) return { covered, difference: null }
  for (let round = seed; ; round++) {
    for (const [i, program] of fc.sample(programs, { numRuns: ROUND, seed: round }).entries()) {
      if (until.aborted) return { covered, difference: null }
      const difference = await judgeBySpin(program)
      covered['given to SPIN']++
      if (difference !== null) return { covered, difference: `seed ${round}, program ${i}: ${difference}` }
      await new Promise((resume) => setTimeout(resume, 5_000))
    }
  }
}

async function main(): Promise<void> {
  if (process.send) {
    process.send(await soak())
    return
  }
  const children: ChildProcess[] = []
  const covered = nothing()
  /** Adds what was covered; a disagreement ends the soak. */
  const take = (result: Soaked): void => {
    add(covered, result.covered)
    if (result.difference === null) return
    tell(covered)
    console.error(result.difference)
    for (const child of children) child.kill()
    process.exit(1)
  }
  const soaking = Array.from({ length: workers }, (_, i) => {
    const child = fork(fileURLToPath(import.meta.url), [
      ...(minutes < Infinity ? ['--minutes', String(minutes)] : []),
      ...(most < Infinity ? ['--programs', String(most)] : []),
      '--seed',
      String(seed),
      '--workers',
      String(workers),
      '--turn',
      String(i),
    ])
    children.push(child)
    return new Promise<Soaked>((done, fail) => {
      child.on('message', (message) => done(message as Soaked))
      child.on('exit', (code) => fail(new Error(`a worker ended with status ${code}`)))
    })
  })
  const over = new AbortController()
  const spinning = soakWithSpin(over.signal).then(take)
  await Promise.all(soaking.map((result) => result.then(take)))
  over.abort()
  await spinning
  tell(covered)
  console.log(`no disagreement, from seed ${seed}`)
  for (const child of children) child.kill()
}

function tell(covered: Covered): void {
  const share = (count: number, all: number): string => ` (${Math.round((100 * count) / Math.max(1, all))} %)`
  const of = (what: string): number =>
    COVERED.includes(what as never)
      ? covered.programs
      : FOUND.some((kind) => what === `scheduled: ${kind}`)
        ? covered['scheduled programs']
        : 0
  console.log(
    Object.entries(covered)
      .map(([what, count]) => `${what} ${count}${of(what) > 0 ? share(count, of(what)) : ''}`)
      .join(', '),
  )
}

await main()
