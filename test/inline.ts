import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checks } from '../checks/index.ts'
import { type Bundle, bundle } from '../src/compile/bundle.ts'
import { type LoadedModel, load } from '../src/compile/load.ts'
import { Engine, engineRecipe } from '../src/explore/engine.ts'
import type { Granularity } from '../src/explore/step-memory.ts'
import { CONTROL, type ExpandResult, Share } from '../src/explore/share.ts'
import { MAX_SEGMENTS, SEGMENT_STATES, newSegment } from '../src/explore/state-store.ts'
import { buildSystem } from '../src/explore/system.ts'
import type { Check } from '../src/model/check.ts'

/** Writes a model's text to a file of its own, bundles and loads it. */
export async function loadText(text: string): Promise<LoadedModel> {
  return load(await bundleText(text))
}

/** Writes a model's text to a file of its own and bundles it. */
export async function bundleText(text: string): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'vmcheck-test-'))
  try {
    await writeFile(join(folder, 'model.ts'), text)
    return await bundle('model.ts', folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A whole search on this thread: the engine with every state in its store, and what was found. */
export interface InlineSearch {
  readonly engine: Engine
  readonly result: ExpandResult
  readonly states: number
  readonly transitions: number
  /** For each stored state, by number: which actors have finished or can still move (see SweepTask). */
  sweep(): Int32Array
  /** Numbers of the stored states. */
  indices(): Generator<number>
}

/** Explores a small model to the end on this thread, whatever is found. */
export function exploreInline(loaded: LoadedModel, granularity: Granularity, on: readonly Check[] = checks, params: Readonly<Record<string, unknown>> = {}): InlineSearch {
  const system = buildSystem(loaded, params)
  const engine = new Engine(system, engineRecipe(system, params, granularity, on.map(({ name }) => name), { states: 1 << 16, words: 1 << 22 }), on)
  const buffers = {
    segments: Array.from({ length: 8 }, () => newSegment(system.layout.words)),
    table: new SharedArrayBuffer(1 << 20),
    usage: new SharedArrayBuffer((MAX_SEGMENTS + 1) * 4),
  }
  engine.store.attach(buffers)
  engine.store.insert(engine.initialState())
  const levels: ExpandResult['levels'][number][] = []
  let ranges = engine.store.rangesSince(new Int32Array(0))
  let result: ExpandResult | null = null
  while (ranges.length > 0) {
    result = new Share(engine, new SharedArrayBuffer(CONTROL.words * 4)).run({
      kind: 'expand',
      store: buffers,
      ranges,
      depth: levels.length,
      expanded: true,
      maxStates: Infinity,
      solo: { width: Infinity, maxDepth: Infinity },
    }) as ExpandResult
    levels.push(...result.levels)
    ranges = [...(result.next ?? [])]
  }
  const sum = (count: 'transitions'): number => levels.reduce((total, { tally }) => total + tally[count], 0)
  return {
    engine,
    result: { levels, leftover: [], next: [], recorded: result?.recorded ?? 0 },
    states: engine.store.size,
    transitions: sum('transitions'),
    sweep() {
      const bits = new SharedArrayBuffer(buffers.segments.length * SEGMENT_STATES * 4)
      const ranges = levels.toReversed().flatMap((level) => level.ranges)
      while (new Share(engine, new SharedArrayBuffer(CONTROL.words * 4)).run({ kind: 'sweep', store: buffers, ranges, bits, settle: false })) continue
      return new Int32Array(bits)
    },
    *indices() {
      for (const level of levels) for (const { from, to } of level.ranges) for (let i = from; i < to; i++) yield i
    },
  }
}
