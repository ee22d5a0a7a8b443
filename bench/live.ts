/**
 * `npm run bench:live`: how often, and after how long, free runs with jitter find what exploring finds. Writes the tables of docs/live.md.
 */
import { availableParallelism, cpus } from 'node:os'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { modelFiles } from '../src/session/model-files.ts'
import { runLive } from '../src/session/live/run.ts'
import { loadModel } from '../src/session/explore.ts'
import { quietEnvironment } from '../src/session/environment.ts'
import { expectedVerdict } from '../src/model/model.ts'
import { exploreFile } from '../test/harness/run.ts'

const PAGE = 'docs/live.md'
const HEAD = '## How often a free run finds it'
/** Seeds that wire.ts is run with, and those that every other scenario is. */
const SEEDS = { wire: 20, others: 3 }
/** Seconds that a run may take. */
const TIME = 2

const environment = quietEnvironment(process.cwd())

interface Hunt {
  /** Rounds and seconds of each run that found something. */
  readonly found: readonly { readonly rounds: number; readonly seconds: number }[]
  readonly runs: number
}

async function hunt(path: string, scenario: string, seeds: number, time: number): Promise<Hunt> {
  const found: { rounds: number; seconds: number }[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations, live } = await runLive(
      path,
      { scenario, settings: [], check: [], noCheck: [], rounds: Infinity, time, jitter: true, seed },
      environment,
    )
    if (violations.length > 0 && live) found.push({ rounds: live.rounds, seconds: live.seconds })
  }
  return { found, runs: seeds }
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0) / Math.max(1, numbers.length)
}

const rows: string[] = []
let [scenarios, always, never] = [0, 0, 0]
for (const path of await modelFiles('models', process.cwd())) {
  const { model } = await loadModel(path, environment)
  for (const [name, { expect, large }] of model.scenarios) {
    const verdict = expectedVerdict(expect)
    if (large || verdict === 'pass' || verdict === 'unreached') continue
    const explored = await exploreFile(path, { scenario: name })
    const { found, runs } = await hunt(path, name, SEEDS.others, TIME)
    scenarios++
    if (found.length === runs) always++
    if (found.length === 0) never++
    const live =
      found.length === 0
        ? 'not found'
        : `${mean(found.map(({ rounds }) => rounds)).toFixed(0)} rounds, ${mean(found.map(({ seconds }) => seconds)).toFixed(2)} s`
    rows.push(
      `| ${path.replace(/^models\/|\.ts$/g, '')} ${name} | ${verdict} | ${explored.stats.states.toLocaleString('en-US')} states, ${explored.stats.seconds.toFixed(2)} s | ${found.length} of ${runs} | ${live} |`,
    )
    process.stderr.write(`${rows.at(-1)}\n`)
  }
}
const explored = await exploreFile('models/wire.ts', { scenario: 'deadlock' })
const wire = await hunt('models/wire.ts', 'deadlock', SEEDS.wire, 60)
const calm = await runLive(
  'models/wire.ts',
  {
    scenario: 'deadlock',
    settings: [],
    check: [],
    noCheck: [],

    rounds: Infinity,
    time: 60,
    jitter: false,
    seed: 1,
  },
  environment,
)
const rounds = wire.found.map((one) => one.rounds)
const text = `${HEAD}

Written by \`npm run bench:live\` on ${cpus()[0]?.model ?? 'an unknown CPU'}, ${availableParallelism()} cores, Node ${process.version}.

\`models/wire.ts\`, \`--jitter\`, ${SEEDS.wire} seeds: the deadlock came in ${wire.found.length} of ${wire.runs} runs, after ${mean(rounds).toFixed(1)} rounds on average (${Math.min(...rounds)} to ${Math.max(...rounds)}),
${mean(wire.found.map(({ seconds }) => seconds)).toFixed(2)} s. Without jitter: ${calm.violations.length > 0 ? `after ${calm.live?.rounds.toLocaleString('en-US')} rounds, ${calm.live?.seconds.toFixed(1)} s` : `not in ${calm.live?.rounds.toLocaleString('en-US')} rounds, ${calm.live?.seconds.toFixed(0)} s`}. Exploring it takes ${explored.stats.states.toLocaleString('en-US')} states, ${explored.stats.seconds.toFixed(2)} s, and
gives the shortest trace, every time.

Of ${scenarios} scenarios with a bug, ${SEEDS.others} runs of ${TIME} s each with jitter found it in all runs of ${always}, in some of ${scenarios - always - never}, and in none of ${never}.
These models are small, and few steps lead to the bug. A free run that finds no bug proves nothing; exploration does.

| scenario | bug | exploring | runs that found it | on average after |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`
const page = await readFile(PAGE, 'utf8')
const at = page.indexOf(HEAD)
await writeFile(`${PAGE}.new`, (at < 0 ? page.trimEnd() + '\n\n' : page.slice(0, at)) + text)
await rename(`${PAGE}.new`, PAGE)
