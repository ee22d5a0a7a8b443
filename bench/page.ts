import { cpus, totalmem } from 'node:os'
import { execFileSync } from 'node:child_process'
import { geometricMean, median } from './measure.ts'
import type { Cycle } from './names.ts'
import type { Measured } from './run.ts'
import type { Run, Tool } from './tools.ts'

const count = (n: number): string => n.toLocaleString('en-US')
const mega = (bytes: number): string => (bytes / 1e6).toFixed(0)
const times = (ratio: number): string => `${ratio.toFixed(2)}×`

/** A line of a Markdown table. */
function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return `${row(head)}${row(head.map((_, i) => (i === 0 ? '---' : '---:')))}${rows.map(row).join('')}`
}

/** The middle of what some runs took. */
function middle(runs: readonly Run[], what: keyof Run): number {
  return median(runs.map((run) => run[what]))
}

function runsOf({ runs }: Measured, name: string): readonly Run[] | null {
  return [...runs].find(([tool]) => tool.name === name)?.[1] ?? null
}

/** The smaller of a measure over SPIN's two full searches; null where SPIN is not installed. */
function best(measured: Measured, what: 'search' | 'verdict' | 'peak'): number | null {
  const found = ['SPIN, depth first', 'SPIN, breadth first'].flatMap((name) => {
    const runs = runsOf(measured, name)
    return runs ? [middle(runs, what)] : []
  })
  return found.length > 0 ? Math.min(...found) : null
}

/** Ratios of SPIN's better full search to vmcheck with one worker (null without SPIN), and of one worker to two; above 1: vmcheck is better, or two are. */
export interface Ratios {
  readonly search: number | null
  readonly verdict: number | null
  readonly memory: number | null
  readonly workers: number
  readonly workersSearch: number
}

function ratios(measured: Measured): Ratios | null {
  const own = runsOf(measured, 'vmcheck')
  const two = runsOf(measured, 'vmcheck, 2 workers')
  if (!own || !two) return null
  const against = (what: 'search' | 'verdict' | 'peak'): number | null => {
    const spin = best(measured, what)
    return spin === null ? null : spin / middle(own, what)
  }
  return {
    search: against('search'),
    verdict: against('verdict'),
    memory: against('peak'),
    workers: middle(own, 'verdict') / middle(two, 'verdict'),
    workersSearch: middle(own, 'searchWall') / middle(two, 'searchWall'),
  }
}

function details(measured: Measured): string {
  const rows = [...measured.runs].map(([tool, runs]: readonly [Tool, readonly Run[]]) => [
    tool.name,
    count(middle(runs, 'states')),
    count(middle(runs, 'transitions')),
    middle(runs, 'verdict').toFixed(2),
    middle(runs, 'search').toFixed(2),
    middle(runs, 'searchWall').toFixed(2),
    (middle(runs, 'transitions') / middle(runs, 'search') / 1e6).toFixed(2),
    middle(runs, 'bytesPerState').toFixed(0),
    mega(middle(runs, 'peak')),
  ])
  return `### ${measured.workload.name}\n\n${table(['', 'states', 'transitions', 'verdict, s', 'search, CPU s', 'search, wall s', 'M transitions / CPU s', 'bytes / state', 'peak, MB'], rows)}`
}

function summary(all: readonly Measured[]): string {
  const found = all.flatMap((measured) => {
    const ratio = ratios(measured)
    return ratio ? [{ measured, ratio }] : []
  })
  if (found.every(({ ratio }) => ratio.search === null)) return 'SPIN is not installed: nothing to compare with.\n'
  const isLarge = (measured: Measured): boolean => (best(measured, 'search') ?? 0) >= 5
  const states = (measured: Measured): number => middle(runsOf(measured, 'vmcheck') as readonly Run[], 'states')
  const mean = (name: string, of: (ratio: Ratios) => number | null, which: (measured: Measured) => boolean): string => {
    const chosen = found.filter(({ measured }) => which(measured)).flatMap(({ ratio }) => of(ratio) ?? [])
    return chosen.length > 0
      ? `- ${name}: ${times(geometricMean(chosen))} (least ${times(Math.min(...chosen))}, of ${chosen.length})\n`
      : ''
  }
  const compared = (ratio: number | null): string => (ratio === null ? '' : times(ratio))
  const rows = found.map(({ measured, ratio }) => [
    measured.workload.name,
    count(states(measured)),
    compared(ratio.search),
    compared(ratio.verdict),
    compared(ratio.memory),
    times(ratio.workersSearch),
    times(ratio.workers),
  ])
  return `${table(['', 'states', 'search: transitions / CPU s', 'time to verdict', 'peak memory', 'two workers: search', 'two workers: verdict'], rows)}
Geometric means:

${mean(
  'search, protocols wire, cow, filter and phil',
  ({ search }) => search,
  ({ workload }) => workload.isKnown,
)}${mean(
    'search, all',
    ({ search }) => search,
    () => true,
  )}${mean(
    'time to verdict, under a million states',
    ({ verdict }) => verdict,
    (measured) => states(measured) < 1e6,
  )}${mean('time to verdict, where SPIN searches 5 s or more', ({ verdict }) => verdict, isLarge)}${mean('two workers, search, where SPIN searches 5 s or more', ({ workersSearch }) => workersSearch, isLarge)}${mean(
    'two workers, search, ten million states or more',
    ({ workersSearch }) => workersSearch,
    (measured) => states(measured) >= 1e7,
  )}`
}

function machine(): string {
  const version = (command: string, args: readonly string[]): string => {
    try {
      return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0] ?? ''
    } catch {
      return `${command}: not installed`
    }
  }
  const processors = cpus()
  return [
    `${processors[0]?.model ?? 'unknown processor'}, ${processors.length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    `Node ${process.version}`,
    version('spin', ['-V']),
    version('rumur', ['--version']),
    version('gcc', ['--version']),
  ].join('; ')
}

/** The benchmark's results as a page. */
export function page(all: readonly Measured[], cycles: readonly Cycle[], rounds: number): string {
  return `# Benchmarks

Written by \`npm run bench\`; medians of ${rounds} rounds in which the tools took turns (Rumur in the first only). The same protocols were written for each
tool (\`bench/models\`, \`bench/spin\`, \`bench/murphi\`): one guarded action a step, and the counts of all full searches are
equal, else there would be no page. Absolute figures belong to the machine: ${machine()}.

**vmcheck** runs as \`vmcheck explore\` does, nothing kept from earlier runs; its verdict includes what the others do not
look for: that no actor can ever be stuck while others go on, and data races. **SPIN** runs as \`gcc -O2 -DSAFETY\`, without
its reduction (\`-DNOREDUCE\`) depth first and breadth first (\`-DBFS\`), and with it. **Rumur** runs with one thread.

All count the same states and transitions. vmcheck does not look up the state that a transition leads to where it is sure to be
stored, because another order of the same two steps leads there (docs/soundness.md, "Sleep sets"); SPIN and Rumur look up all.

*Time to verdict* is wall time from the model's text to the answer, compilation included. *Search* is what the search alone
takes: for vmcheck until all states are stored and checked, the look for actors that are stuck not included. Bytes a state
are what each tool says of its states and hash table (Rumur: the peak of the process).

## Against SPIN

SPIN's better full search divided by vmcheck with one worker, and one worker by two. Above 1 is better.

${summary(all)}
## What users run

\`models/wire.ts\` on all cores, in a new process each time: cold with nothing kept, warm with the lowered model kept.

${table(
  [
    'scenario',
    'states',
    'transitions',
    'cold, s',
    'warm, s',
    'search, s',
    'bytes / state',
    'peak, MB',
    'served by the table',
  ],
  cycles.map((cycle) => [
    cycle.scenario,
    count(cycle.states),
    count(cycle.transitions),
    cycle.cold.toFixed(2),
    cycle.warm.toFixed(2),
    cycle.search.toFixed(2),
    cycle.bytesPerState.toFixed(0),
    mega(cycle.peak),
    `${(cycle.served * 100).toFixed(2)} %`,
  ]),
)}
## All measurements

${all.map(details).join('\n')}`
}
