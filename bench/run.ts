/**
 * `npm run bench`: the same protocols in vmcheck, SPIN and Rumur, taking turns on this machine; counts must be equal.
 * Writes docs/benchmarks.md.
 */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { page } from './page.ts'
import { namesCycle } from './names.ts'
import { type Run, TOOLS, type Tool } from './tools.ts'
import { WORKLOADS, type Workload } from './workloads.ts'

/** The runs of every tool on one workload. */
export interface Measured {
  readonly workload: Workload
  readonly runs: ReadonlyMap<Tool, readonly Run[]>
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', multiple: true, default: [] },
    write: { type: 'boolean', default: true },
  },
  allowNegative: true,
})

/** Lets every tool take its turn on a workload, round after round. */
async function measure(workload: Workload, tools: readonly Tool[], rounds: number, folder: string): Promise<Measured> {
  const taking = tools.filter(({ isOwn }) => isOwn || !workload.isOwn)
  const runs = new Map(taking.map((tool) => [tool, [] as Run[]]))
  for (let round = 0; round < rounds; round++) {
    for (const tool of taking) {
      if (tool.isSlow && round > 0) continue
      const run = await tool.run(workload, folder)
      runs.get(tool)?.push(run)
      process.stderr.write(
        `${workload.name} ${tool.name}: ${run.states} states, ${run.transitions} transitions, verdict ${run.verdict.toFixed(2)} s, search ${run.search.toFixed(2)} s of CPU\n`,
      )
    }
  }
  return { workload, runs }
}

/** Workloads on which tools that search the whole graph do not count the same. */
function differences(all: readonly Measured[]): string[] {
  return all.flatMap(({ workload, runs }) => {
    const counts = new Set(
      [...runs].flatMap(([tool, list]) =>
        tool.isFull ? list.map(({ states, transitions }) => `${states} / ${transitions}`) : [],
      ),
    )
    return counts.size === 1 ? [] : [`${workload.name}: ${[...counts].join(', ')}`]
  })
}

const folder = await mkdtemp(join(tmpdir(), 'vmcheck-bench-'))
try {
  const there = await Promise.all(TOOLS.map((tool) => tool.isThere()))
  const tools = TOOLS.filter((_, i) => there[i])
  const rounds = Number(values.rounds)
  const measurements: Measured[] = []
  for (const workload of WORKLOADS) {
    if (values.only.length > 0 && !values.only.some((name) => workload.name.startsWith(name))) continue
    measurements.push(await measure(workload, tools, rounds, folder))
  }
  const different = differences(measurements)
  if (different.length > 0) {
    process.stderr.write(`The counts differ, so nothing was measured:\n${different.join('\n')}\n`)
    process.exitCode = 1
  } else {
    const text = page(measurements, await namesCycle(rounds, folder), rounds)
    process.stdout.write(text)
    if (values.write && values.only.length === 0) {
      const path = resolve(fileURLToPath(import.meta.url), '../../../docs/benchmarks.md')
      await writeFile(`${path}.tmp`, text)
      await rename(`${path}.tmp`, path)
    }
  }
} finally {
  await rm(folder, { recursive: true })
}
