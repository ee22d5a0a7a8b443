// Judges generated programs for a given time, on every core: node dist/test/soak.js --minutes 5 [--seed N] [--workers N]
import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { judge, judgeBySpin } from './judge/agree.ts'
import { COVERED, type Covered, add, coverageOf, nothing } from './judge/coverage.ts'
import { programs } from './judge/program.ts'
import { hasSpin } from './judge/promela.ts'

function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(name)
  const value = at < 0 ? fallback : Number(process.argv[at + 1])
  if (!Number.isFinite(value)) throw new Error(`${name} takes a number`)
  return value
}

const minutes = option('--minutes', 1)
const seed = option('--seed', Date.now() % 1_000_000)
const workers = option('--workers', availableParallelism())

/** What judging for a while came to. */
interface Soaked {
  readonly covered: Covered
  /** The first disagreement, or null. */
  readonly difference: string | null
}

/** Judges programs until the time is over; returns what they covered, and the first disagreement. */
async function soak(first: number, step: number): Promise<Soaked> {
  const end = performance.now() + minutes * 60_000
  const covered = nothing()
  for (let round = first; ; round += step) {
    for (const [i, program] of fc.sample(programs, { numRuns: 100, seed: round }).entries()) {
      if (performance.now() >= end) return { covered, difference: null }
      const judged = await judge(program)
      add(covered, coverageOf(program, judged))
      if (judged.difference !== null) return { covered, difference: `seed ${round}, program ${i}: ${judged.difference}` }
    }
  }
}

/** Gives programs to SPIN, one after another and with pauses, for it takes a second to compile one. */
async function soakWithSpin(): Promise<Soaked> {
  const end = performance.now() + minutes * 60_000
  const covered = nothing()
  if (!(await hasSpin())) return { covered, difference: null }
  for (let round = seed; ; round++) {
    for (const [i, program] of fc.sample(programs, { numRuns: 100, seed: round }).entries()) {
      if (performance.now() >= end) return { covered, difference: null }
      const difference = await judgeBySpin(program)
      covered['given to SPIN']++
      if (difference !== null) return { covered, difference: `seed ${round}, program ${i}: ${difference}` }
      await new Promise((resume) => setTimeout(resume, 5_000))
    }
  }
}

async function main(): Promise<void> {
  if (process.send) {
    process.send(await soak(seed, workers))
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
    const child = fork(fileURLToPath(import.meta.url), ['--minutes', String(minutes), '--seed', String(seed + i), '--workers', String(workers)])
    children.push(child)
    return new Promise<Soaked>((done, fail) => {
      child.on('message', (message) => done(message as Soaked))
      child.on('exit', (code) => fail(new Error(`a worker ended with status ${code}`)))
    })
  })
  await Promise.all([...soaking, soakWithSpin()].map((result) => result.then(take)))
  tell(covered)
  console.log(`no disagreement, from seed ${seed}`)
  for (const child of children) child.kill()
}

function tell(covered: Covered): void {
  const of = Math.max(1, covered.programs)
  console.log(Object.entries(covered).map(([what, count]) => `${what} ${count}${COVERED.includes(what as never) ? ` (${Math.round((100 * count) / of)} %)` : ''}`).join(', '))
}

await main()
