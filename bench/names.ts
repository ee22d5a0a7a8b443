import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { measured, median } from './measure.ts'

const ROOT = resolve(fileURLToPath(import.meta.url), '../../..')

/** What users run: a scenario of models/wire.ts, first with nothing kept from earlier runs, then with lowered files kept. */
export interface Cycle {
  readonly scenario: string
  readonly states: number
  readonly transitions: number
  /** Wall seconds to the verdict. */
  readonly cold: number
  readonly warm: number
  /** Seconds of search. */
  readonly search: number
  readonly bytesPerState: number
  readonly peak: number
  /** Share of steps served by the step table. */
  readonly served: number
}

/** Times the scenarios of models/wire.ts that the README shows, on as many workers as there are cores. */
export async function namesCycle(rounds: number, folder: string): Promise<Cycle[]> {
  const cycles: Cycle[] = []
  for (const scenario of ['deadlock', 'fixed', 'names']) {
    const cold: number[] = []
    const warm: number[] = []
    let last: { out: string; peak: number } = { out: '', peak: 0 }
    const command = [
      process.execPath,
      join(ROOT, 'bin/vmcheck.js'),
      'explore',
      join(ROOT, 'models/wire.ts'),
      '--scenario',
      scenario,
      '--reduce',
      'none',
      '--profile',
      '--json',
    ]
    const [name, ...rest] = command as [string, ...string[]]
    // a violation's exit status is 1
    const tolerant = ['sh', '-c', '"$@" || true', 'sh', name, ...rest]
    for (let round = 0; round < rounds; round++) {
      cold.push((await measured(folder, tolerant, { VMCHECK_CACHE: 'off' })).wall)
      await measured(folder, tolerant, { VMCHECK_CACHE: join(folder, 'cache') })
      const cost = await measured(folder, tolerant, { VMCHECK_CACHE: join(folder, 'cache') })
      warm.push(cost.wall)
      last = cost
    }
    const { stats, profile } = JSON.parse(last.out)
    cycles.push({
      scenario,
      states: stats.states,
      transitions: stats.transitions,
      cold: median(cold),
      warm: median(warm),
      search: stats.seconds,
      bytesPerState: stats.bytesPerState,
      peak: last.peak,
      served: 1 - profile.executed / profile.asked,
    })
  }
  return cycles
}
