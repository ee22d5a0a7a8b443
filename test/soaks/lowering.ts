// Lowers many generated programs, on every core: node dist/test/soaks/lowering.js --programs 100000 [--seed N] [--workers N]
import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { numberOption } from '../harness/options.ts'
import { type Tally, generatedAgree } from '../lower/generated/agree.ts'

const most = numberOption('--programs', 10_000)
const seed = numberOption('--seed', Date.now() % 1_000_000)
const workers = numberOption('--workers', availableParallelism())
/** Which of the workers this one is; -1: none of them. */
const turn = numberOption('--turn', -1)

/** Programs that are made out of one seed. */
const ROUND = 500

/** What a round came to. */
interface Round extends Tally {
  readonly seed: number
  /** The smallest program found on which the two runs differ, and how; null: none. */
  readonly difference: string | null
}

function round(number: number): Round {
  const tally = { agreed: 0, refused: 0 }
  const result = fc.check(generatedAgree(tally), {
    numRuns: Math.min(ROUND, most - number * ROUND),
    seed: seed + number,
  })
  const failed = result.failed ? `${String(result.errorInstance)}\n${result.counterexample?.[0]}` : null
  return { ...tally, seed: seed + number, difference: failed }
}

/** One worker's share of the rounds; each is told to the parent. */
function work(): void {
  for (let number = turn; number * ROUND < most; number += workers) {
    const done = round(number)
    process.send?.(done)
    if (done.difference !== null) return
  }
}

/** Starts the workers and adds up what they tell; whether there was no disagreement. */
async function soak(): Promise<boolean> {
  console.log(`seed ${seed}: ${most} programs`)
  const sum: Tally = { agreed: 0, refused: 0 }
  let isAgreed = true
  let rounds = 0
  const children = Array.from({ length: workers }, (_, i) =>
    fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), '--seed', String(seed), '--turn', String(i)]),
  )
  await Promise.all(
    children.map(
      (child: ChildProcess) =>
        new Promise<void>((resolve) => {
          child.on('message', (done: Round) => {
            sum.agreed += done.agreed
            sum.refused += done.refused
            rounds++
            if (rounds % 10 === 0) console.log(`${sum.agreed + sum.refused} programs so far`)
            if (done.difference === null) return
            isAgreed = false
            console.log(`seed ${done.seed}: ${done.difference}`)
          })
          child.on('exit', (code) => {
            isAgreed &&= code === 0
            resolve()
          })
        }),
    ),
  )
  console.log(`${sum.agreed} agree, ${sum.refused} refused`)
  return isAgreed
}

if (turn >= 0) work()
else process.exitCode = (await soak()) ? 0 : 1
