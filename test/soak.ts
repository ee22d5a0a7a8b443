// Judges generated programs for a given time: node dist/test/soak.js --minutes 5 [--seed N]
import fc from 'fast-check'
import { judge } from './judge/agree.ts'
import { programs } from './judge/program.ts'

function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(name)
  const value = at < 0 ? fallback : Number(process.argv[at + 1])
  if (!Number.isFinite(value)) throw new Error(`${name} takes a number`)
  return value
}

const minutes = option('--minutes', 1)
const seed = option('--seed', Date.now() % 1_000_000)
const end = performance.now() + minutes * 60_000
const counts = { programs: 0, race: 0, stuck: 0, wedged: 0, 'too large': 0, states: 0 }

for (let round = 0; performance.now() < end; round++) {
  for (const program of fc.sample(programs, { numRuns: 100, seed: seed + round })) {
    const { outcome, difference } = await judge(program)
    counts.programs++
    if (!outcome) counts['too large']++
    if (outcome?.race) counts.race++
    if (outcome && outcome.stuck.size > 0) counts.stuck++
    if (outcome && !outcome.race && outcome.stuck.size === 0 && outcome.wedged !== '') counts.wedged++
    counts.states += outcome?.states ?? 0
    if (difference) {
      console.error(`seed ${seed + round}: ${difference}`)
      process.exit(1)
    }
    if (performance.now() >= end) break
  }
}
console.log(`${JSON.stringify(counts)} without a disagreement, from seed ${seed}`)
