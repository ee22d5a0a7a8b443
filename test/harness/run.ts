import { load } from '../../src/runtime/load.ts'
import type { LoadedModel } from '../../src/runtime/load.ts'
import type { ExploreRequest } from '../../src/session/request.ts'
import { explore, loadModel } from '../../src/session/explore.ts'
import { type Environment, quietEnvironment } from '../../src/session/environment.ts'
import type { Report } from '../../src/report/report.ts'
import { CACHE } from './command.ts'
import { bundleText } from './inline.ts'

/** An environment in which no one is told anything. */
export const quiet: Environment = quietEnvironment(process.cwd(), { cache: CACHE })

const REQUEST: ExploreRequest = {
  scenario: null,
  settings: [],
  granularity: null,
  check: [],
  noCheck: [],
  keepGoing: false,
  strategy: 'bfs',
  reduce: 'symmetry',
  seed: 1,
  runs: 1000,
  bugDepth: 3,
  preemptions: Infinity,
  workers: 1,
  limits: { maxStates: Infinity, maxDepth: Infinity, time: Infinity, memory: 4e9 },
  checkpoint: null,
  explain: false,
  profile: false,
}

/** Memory that is reserved and never touched still makes the collector run, which took a fifth of thousands of small searches. */
const RESERVED = { segmentBits: 16 }

/** A request as the command makes it, but for what is given. */
function requested({ tuning, ...given }: Partial<ExploreRequest>): ExploreRequest {
  return { ...REQUEST, ...given, tuning: { ...RESERVED, ...tuning } }
}

/** Runs without Node's source maps, with which AVA runs everything: they took a tenth of all searches, which ask where they are at each step. */
async function unmapped<T>(body: () => Promise<T>): Promise<T> {
  process.setSourceMapsEnabled(false)
  try {
    return await body()
  } finally {
    process.setSourceMapsEnabled(true)
  }
}

const loadedModels = new Map<string, Promise<LoadedModel>>()

/** Loads a model's file; once, however often it is asked for. */
export function loadOnce(path: string): Promise<LoadedModel> {
  const known = loadedModels.get(path) ?? loadModel(path, quiet)
  loadedModels.set(path, known)
  return known
}

/** Explores a model's file as the command does. */
export async function exploreFile(path: string, request: Partial<ExploreRequest> = {}): Promise<Report> {
  const loaded = await loadOnce(path)
  return unmapped(() => explore(loaded, requested(request), quiet))
}

/** Explores a model given as text. */
export async function exploreText(text: string, request: Partial<ExploreRequest> = {}): Promise<Report> {
  const loaded: LoadedModel = load(await bundleText(text))
  return unmapped(() => explore(loaded, requested(request), quiet))
}

/** A model's text around the body of its `machine(m)`. */
export function modelText(machine: string, outside = ''): string {
  return `import { atomically, bool, model, pause, published, readOnce, ref, struct, u2, u4, volatile, when } from 'vmcheck'
import { Mutex, SleepLock, WaitChannel } from 'vmcheck/vm'
void [atomically, bool, pause, published, readOnce, ref, u2, u4, volatile, when, Mutex, SleepLock, WaitChannel]
const Cell = struct<{ v: number }>('cell', { v: u4 })
${outside}
export default model({ title: 'test', machine(m) {
const x = m.struct(Cell, 'x')
const y = m.struct(Cell, 'y')
const lock = new Mutex(m, 'lock')
const other = new Mutex(m, 'other')
void [x, y, lock, other]
${machine}
} })`
}

/** A report without what depends on the machine and the number of workers. */
export function essence({ stats, ...report }: Report): unknown {
  const { workers: _w, seconds: _s, bytesPerState: _b, memoryBytes: _m, ...counts } = stats
  return { ...report, stats: counts }
}
