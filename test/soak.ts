// Judges generated programs for a given time, on every core: node dist/test/soak.js --minutes 5 [--seed N] [--workers N]
import { fork } from 'node:child_process'
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

/** Judges programs until the time is over; returns what they covered, and the first disagreement. */
async function soak(first: number, step: number): Promise<{ readonly covered: Covered; readonly difference: string | null }> {
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
async function soakWithSpin(): Promise<{ readonly covered: Covered; readonly difference: string | null }> {
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
  const results = await Promise.all([
    soakWithSpin(),
    ...Array.from({ length: workers }, (_, i) => {
      const child = fork(fileURLToPath(import.meta.url), ['--minutes', String(minutes), '--seed', String(seed + i), '--workers', String(workers)])
      return new Promise<Awaited<ReturnType<typeof soak>>>((done, fail) => {
        child.on('message', (message) => done(message as Awaited<ReturnType<typeof soak>>))
        child.on('exit', (code) => (code === 0 ? undefined : fail(new Error(`a worker ended with status ${code}`))))
      })
    }),
  ])
  const covered = nothing()
  for (const result of results) add(covered, result.covered)
  const of = Math.max(1, covered.programs)
  console.log(Object.entries(covered).map(([what, count]) => `${what} ${count}${COVERED.includes(what as never) ? ` (${Math.round((100 * count) / of)} %)` : ''}`).join(', '))
  const found = results.find(({ difference }) => difference !== null)?.difference
  if (found) {
    console.error(found)
    process.exitCode = 1
  } else console.log(`no disagreement, from seed ${seed}`)
}

await main()
