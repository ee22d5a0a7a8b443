import { readFileSync } from 'node:fs'
import { platform, totalmem } from 'node:os'
import test from 'ava'
import fc from 'fast-check'
import { bundle } from '../src/bundle/bundle.ts'
import { load } from '../src/runtime/load.ts'
import { Arena, arenaBuffers } from '../src/explore/table/arena.ts'
import { type Layout, layoutOf, packingOf, readCell, writeCell } from '../src/explore/state/layout.ts'
import { RecentStates } from '../src/explore/store/recent-states.ts'
import { repack } from '../src/explore/store/repacking.ts'
import { hashPart, hashState } from '../src/explore/store/state-hash.ts'
import { growChoice, growRead, readSlot } from '../src/explore/table/step-tree.ts'
import type { Tuning } from '../src/explore/store/tuning.ts'
import { Memory } from '../src/model/memory.ts'
import { u } from '../src/model/field.ts'
import type { Report } from '../src/report/report.ts'
import { exploreInline } from './inline.ts'
import { exploreFile, exploreText, modelText } from './run.ts'

/** Sizes so small that every growth, hand-over and fallback happens on small models. */
const SMALL: Tuning = {
  narrow: 8,
  worthThreads: 0,
  slice: 5,
  firstCapacity: 1 << 11,
  segmentBits: 11,
  firstWidth: 1,
  mostSpare: 0,
  patience: 4096,
  sleepSets: true,
  localCapacity: { states: 1 << 16, words: 1 << 20 },
}

/** A report without what depends on the machine and the number of workers. */
function essence({ stats, ...report }: Report): unknown {
  const { workers: _w, seconds: _s, bytesPerState: _b, memoryBytes: _m, ...counts } = stats
  return { ...report, stats: counts }
}

const EXAMPLES: readonly (readonly [path: string, scenario: string, settings?: readonly string[]])[] = [
  ['models/wire.ts', 'deadlock'],
  ['models/wire.ts', 'names-fixed'],
  ['models/serenity-cow.ts', 's1'],
  ['models/maestro-bind.ts', 's7a'],
  ['models/phoenix-fork.ts', 's2-copy'],
  ['bench/models/phil.ts', 'phil-9'],
  ['bench/models/wire.ts', 'wire-4-2'],
  ['bench/models/cow.ts', 'cow-2-2', ['cpus=3', 'frames=3']],
  ['bench/models/readers.ts', 'readers-6'],
  ['bench/models/ring.ts', 'ring-6', ['n=9']],
]

for (const [path, scenario, settings = []] of EXAMPLES) {
  test(`${path}, ${scenario}: one report, whatever the sizes, workers and tables`, async (t) => {
    const plain = essence(await exploreFile(path, { scenario, settings, workers: 1 }))
    for (const workers of [1, 2, 3]) {
      t.deepEqual(
        essence(await exploreFile(path, { scenario, settings, workers, tuning: SMALL })),
        plain,
        `small, ${workers} workers`,
      )
    }
    t.deepEqual(
      essence(await exploreFile(path, { scenario, settings, workers: 2, tuning: { ...SMALL, patience: 40 } })),
      plain,
      'labels given up',
    )
    t.deepEqual(
      essence(await exploreFile(path, { scenario, settings, workers: 1, tuning: { patience: -1 } })),
      plain,
      'without a step table',
    )
    t.deepEqual(
      essence(await exploreFile(path, { scenario, settings, workers: 2, tuning: { ...SMALL, sleepSets: false } })),
      plain,
      'without sleep sets',
    )
  })
}

test('without the step table the same states, transitions and movements are found', async (t) => {
  for (const [path, params] of [
    ['bench/models/filter.ts', { n: 3 }],
    ['bench/models/cow.ts', { cpus: 2, frames: 2, lock: 'on' }],
    ['test/models/bounded-buffer.ts', { producers: 2, consumers: 2, capacity: 1 }],
  ] as const) {
    const bundled = await bundle(path, process.cwd())
    for (const granularity of ['step', 'access'] as const) {
      const [table, direct] = [
        exploreInline(load(bundled), granularity, [], params),
        exploreInline(load(bundled), granularity, [], params, { patience: -1 }),
      ]
      t.is(direct.states, table.states)
      t.is(direct.transitions, table.transitions)
      table.sweep()
      direct.sweep()
      const moves = ({ engine, indices }: typeof table): number[] =>
        [...indices()].map((index) => engine.stateWords.get(index)).toSorted((a, b) => a - b)
      t.deepEqual(moves(direct), moves(table))
      t.true(direct.engine.table.executed >= direct.transitions)
    }
  }
})

test('recording stops at a label whose records are almost never reused, and its steps are executed', async (t) => {
  const outside = 'const W = struct<{ v: number; w: number }>("w", { v: range(0, 4_000), w: range(0, 4_000) })'
  const text = modelText(
    'const w = m.struct(W, "w"); for (const name of ["a", "b"]) m.thread(function* count() { for (let i = 0; i < 5; i++) yield* atomically(() => { const was = w.v; w.v = (was * 7 + w.w + (name === "a" ? 1 : 2)) % 4_001; w.w = was }) })',
    outside,
  ).replace('import { atomically,', 'import { range, atomically,')
  const [table, given] = [
    await exploreText(text, { profile: true }),
    await exploreText(text, { profile: true, tuning: { patience: 20 } }),
  ]
  t.deepEqual(essence({ ...given, profile: undefined as never }), essence({ ...table, profile: undefined as never }))
  t.true((given.profile?.executed ?? 0) > (table.profile?.executed ?? 0))
})

test('all alternatives of a choice survive where steps are not recorded', async (t) => {
  const outside = 'const W = struct<{ v: number }>("w", { v: range(0, 30_000) })'
  const text = modelText(
    "const w = m.struct(W, 'w'); m.thread(function* a() { yield* atomically(() => { w.v = m.choose(20_000) }) })",
    outside,
  ).replace('import { atomically,', 'import { range, atomically,')
  t.is((await exploreText(text, { tuning: { patience: -1 } })).stats.states, 20_001)
})

/** A layout of fields of the given widths. */
function layoutFor(widths: readonly number[], actors: number): Layout {
  const memory = new Memory()
  widths.forEach((width, i) => memory.field(`f${i}`, u(width) as never, 'plain', null))
  return layoutOf(memory, actors)
}

const widthsOf = fc.array(fc.integer({ min: 1, max: 32 }), { minLength: 1, maxLength: 30 })

test('fields and local states keep their values, wherever they cross words, also when packed anew', (t) => {
  fc.assert(
    fc.property(
      widthsOf,
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(fc.integer()),
      (widths, locals, stream) => {
        const layout = layoutFor(widths, locals.length)
        t.is(
          Math.ceil(layout.bits / 32) <= Math.ceil(widths.reduce((a, b) => a + b) / 32),
          true,
          'as few words as there can be',
        )
        const [before, after] = [
          packingOf(layout, locals),
          packingOf(
            layout,
            locals.map((width) => Math.min(20, width + 3)),
          ),
        ]
        const state = new Int32Array(before.words)
        const random = stream[Symbol.iterator]()
        const next = (width: number): number => ((random.next().value as number) >>> 0) % 2 ** width
        const values = widths.map(next)
        const ids = locals.map(next)
        values.forEach((value, i) => writeCell(state, layout.cells[i] as never, value))
        ids.forEach((id, i) => writeCell(state, before.locals[i] as never, id))
        const moved = new Int32Array(after.words)
        repack(layout, state, before, moved, after)
        t.deepEqual(
          values.map((_, i) => readCell(state, layout.cells[i] as never)),
          values,
        )
        t.deepEqual(
          ids.map((_, i) => readCell(state, before.locals[i] as never)),
          ids,
        )
        t.deepEqual(
          values.map((_, i) => readCell(moved, layout.cells[i] as never)),
          values,
        )
        t.deepEqual(
          ids.map((_, i) => readCell(moved, after.locals[i] as never)),
          ids,
        )
        t.true(before.locals.every(({ rest }) => rest === null))
      },
    ),
    { numRuns: 200 },
  )
})

test('fields cross words only where that saves words', (t) => {
  t.true(layoutFor([20, 12, 30, 2], 1).cells.every(({ rest }) => rest === null))
  const crossing = layoutFor([20, 20, 20], 1)
  t.is(Math.ceil(crossing.bits / 32), 2)
  t.true(crossing.cells.some(({ rest }) => rest !== null))
})

test('a hash changed part by part is the hash of the changed state', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 9 }), fc.nat(8), fc.integer(), (words, at, value) => {
      const state = Int32Array.from(words)
      const word = at % state.length
      const changed = state.with(word, value)
      t.is(
        hashState(state, 0, state.length) ^ hashPart(word, state[word] as number) ^ hashPart(word, value),
        hashState(changed, 0, changed.length),
      )
    }),
  )
})

test('recent states are those sifted before, whole, and none after all are forgotten', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { maxLength: 60 }),
      fc.constantFrom(2, 8, 64),
      (states, entries) => {
        const recent = new RecentStates(2, entries)
        const rows = Int32Array.from(states.flat())
        const hashes = Int32Array.from(states, (_, i) => hashState(rows, i * 2, 2))
        const found = new Int32Array(states.length)
        const count = recent.sift(rows, hashes, 0, states.length, found)
        const fresh = [...found.subarray(0, count)]
        const seen = new Set<string>()
        states.forEach((state, i) => {
          if (!seen.has(state.join())) t.true(fresh.includes(i), 'a state not seen before is passed on')
          seen.add(state.join())
        })
        recent.clear()
        t.is(recent.sift(rows, hashes, 0, Math.min(1, states.length), found), Math.min(1, states.length))
      },
    ),
  )
})

test('a decision tree leads from the values read and alternatives taken to the leaf put there', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ narrow: fc.nat(7), wide: fc.nat(3000), choice: fc.nat(2) }), {
        minLength: 1,
        maxLength: 80,
      }),
      (paths) => {
        const arena = new Arena(arenaBuffers(2))
        const layout = layoutFor([3, 12], 1)
        const [narrow, wide] = [layout.cells[0] as never, layout.cells[1] as never]
        const leaves = new Map<string, number>()
        const grow = (path: (typeof paths)[number]): number =>
          growChoice(arena, growRead(arena, growRead(arena, 1, narrow, path.narrow), wide, path.wide), 3, path.choice)
        for (const path of paths) {
          const slot = grow(path)
          const key = `${path.narrow} ${path.wide} ${path.choice}`
          t.is(arena.words[slot], leaves.has(key) ? -(leaves.get(key) as number) : 0)
          const leaf = leaves.get(key) ?? leaves.size + 1
          arena.publish(slot, -leaf)
          leaves.set(key, leaf)
        }
        for (const path of paths) {
          const state = Int32Array.of(path.narrow | (path.wide << 3))
          let slot = readSlot(arena.words, arena.words[1] as number, state)
          slot = readSlot(arena.words, arena.words[slot] as number, state)
          t.is(
            arena.words[(arena.words[slot] as number) + 2 + path.choice],
            -(leaves.get(`${path.narrow} ${path.wide} ${path.choice}`) as number),
          )
        }
        t.is(growRead(arena, 1, wide, 0), 0, 'a tree that branches over something else')
      },
    ),
    { numRuns: 50 },
  )
})

test('fields of 31 and 32 bits, and values beyond 2^31 that a virtual point keeps', async (t) => {
  const outside =
    'const W = struct<{ bit: number; v: number; w: number; k: number }>("w", { bit: u(1), v: volatile(u(32)), w: u(31), k: volatile(u(1)) })'
  const imports = ['import { atomically,', 'import { u, atomically,'] as const
  const text = modelText(
    'const w = m.struct(W, "w", { v: 0xfffffff0, w: 0x7ffffff0 }); for (let i = 0; i < 2; i++) m.thread(function* a() { for (let j = 0; j < 3; j++) { const was = w.v; w.k = was > 0x80000000 ? 1 : 0; yield* atomically(() => { w.w = (w.w + 1) % 0x7ffffff3 }); m.assert(was === 0xfffffff0, "as it was") } })',
    outside,
  ).replace(...imports)
  for (const granularity of ['step', 'access'] as const) {
    const plain = essence(await exploreText(text, { granularity }))
    t.is((plain as Report).verdict, 'pass')
    for (const tuning of [{ ...SMALL, patience: -1 }, SMALL])
      for (const workers of [1, 2])
        t.deepEqual(essence(await exploreText(text, { granularity, workers, tuning })), plain)
  }
})

test('what steps take in the table counts as memory', async (t) => {
  const { stats } = await exploreFile('models/wire.ts', { scenario: 'names-fixed' })
  t.true(stats.memoryBytes - stats.states * stats.bytesPerState > 200_000)
  const { verdict, inconclusive } = await exploreFile('models/wire.ts', {
    scenario: 'names',
    limits: { maxStates: Infinity, maxDepth: Infinity, time: Infinity, memory: 3e6 },
  })
  t.is(verdict, 'inconclusive')
  t.is(inconclusive?.reason, 'memory')
})

test('a process that has searched often can still start others: what it reserved is given back', async (t) => {
  const status = (): string => readFileSync('/proc/self/status', 'latin1')
  if (platform() !== 'linux') return t.pass()
  for (let i = 0; i < 40; i++) await exploreFile('models/phoenix-vfork.ts', { tuning: { segmentBits: 20 } })
  t.true(Number(/^VmSize:\s*(\d+)/m.exec(status())?.[1]) * 1024 < totalmem())
})
