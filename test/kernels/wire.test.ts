import test from 'ava'
import { bundle } from '../../src/bundle/bundle.ts'
import { load } from '../../src/runtime/load.ts'
import type { Report } from '../../src/report/report.ts'
import { exploreInline } from '../harness/inline.ts'
import { exploreFile } from '../harness/run.ts'

/** A report without the fields that may differ between runs and numbers of workers. */
function comparable(report: Report): unknown {
  const {
    workers: _workers,
    seconds: _seconds,
    bytesPerState: _bytesPerState,
    memoryBytes: _memoryBytes,
    ...stats
  } = report.stats
  return { ...report, stats }
}

test('one worker and two give the same report', async (t) => {
  for (const scenario of ['deadlock', 'fixed', 'merge-leak', 'names-walk-after-free', 'names']) {
    const [one, two] = [
      await exploreFile('models/wire.ts', { scenario, workers: 1 }),
      await exploreFile('models/wire.ts', { scenario, workers: 2 }),
    ]
    t.deepEqual(comparable(one), comparable(two), scenario)
  }
})

test('without any one of its fixes a fixed scenario fails again', async (t) => {
  for (const [scenario, setting] of [
    ['fixed', 'walk=ptr'],
    ['merge-fixed', 'mark=off'],
    ['names-fixed', 'walk=addr'],
  ] as const) {
    t.is((await exploreFile('models/wire.ts', { scenario, settings: [setting] })).verdict, 'violation', setting)
  }
})

test('the trace of wire.ts is in kernel terms', async (t) => {
  const report = await exploreFile('models/wire.ts')
  const [violation] = report.violations
  t.is(
    violation?.message,
    'a cycle of waits: CPU 0 (wirer/0) waits for ipc_kernel_map.lock (read), held by CPU 1; CPU 1 (neighbour/1) waits for page[1.0].event (block), held by CPU 0',
  )
  t.deepEqual(violation?.stuck, [0, 1])
  t.deepEqual(
    violation?.waiting.map(({ actor, operation, target, heldBy }) => ({ actor, operation, target, heldBy })),
    [
      { actor: 0, operation: 'read', target: 'ipc_kernel_map.lock', heldBy: [1] },
      { actor: 1, operation: 'block', target: 'page[1.0].event', heldBy: [0] },
    ],
  )
  t.true(violation?.steps.every(({ events }) => events.every(({ at }) => at !== null)))
  t.regex(violation?.schedule_string ?? '', /^v1:[\dx.,]+$/)
})

/** The fewest changes of actor on any shortest path to a state where no one can move, by brute force over pairs of state and actor. */
async function fewestSwitches(
  path: string,
  params: Readonly<Record<string, unknown>>,
): Promise<{ depth: number; switches: number }> {
  const { engine } = exploreInline(load(await bundle(path, process.cwd())), 'step', [], params)
  const { store, successors, view, system } = engine
  let level = new Map([['0', { state: store.find(engine.initialState()), actor: -1, switches: 0 }]])
  const seen = new Set<number>()
  for (let depth = 0; ; depth++) {
    const isHung = (words: Int32Array): boolean => {
      view.show(words, successors.stepsOf(words), 0, false)
      return system.actors.every((actor) => view.isBlocked(actor))
    }
    const hung = [...level.values()].filter(({ state }) => isHung(store.at(state)))
    if (hung.length > 0) return { depth, switches: Math.min(...hung.map(({ switches }) => switches)) }
    const next: typeof level = new Map()
    for (const { state } of level.values()) seen.add(state)
    for (const { state, actor, switches } of level.values()) {
      successors.forEach(store.at(state), (mover, _leaf, words) => {
        const to = store.find(words)
        const cost = switches + (actor >= 0 && mover.id !== actor ? 1 : 0)
        const key = `${to} ${mover.id}`
        if (!seen.has(to) && cost < (next.get(key)?.switches ?? Infinity))
          next.set(key, { state: to, actor: mover.id, switches: cost })
      })
    }
    level = next
  }
}

test('the trace is a shortest one with the fewest switches', async (t) => {
  const examples = [
    ['bench/models/wire.ts', { threads: 2, pages: 1, mark: 'off' }, ['mark=off']],
    ['bench/models/wire.ts', { threads: 3, pages: 2, mark: 'off' }, ['mark=off', 'threads=3', 'pages=2']],
    [
      'test/models/bounded-buffer.ts',
      { producers: 2, consumers: 2, capacity: 1 },
      ['producers=2', 'consumers=2', 'capacity=1'],
    ],
  ] as const
  for (const [path, params, settings] of examples) {
    const { violations } = await exploreFile(path, { settings })
    const actors = violations[0]?.schedule.map(({ actor }) => actor) ?? []
    const found = {
      depth: actors.length,
      switches: actors.filter((actor, i) => i > 0 && actor !== actors[i - 1]).length,
    }
    t.deepEqual(found, await fewestSwitches(path, params), settings.join())
  }
})
