import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checks } from '../../checks/index.ts'
import { type Bundle, type BundleForm, bundle } from '../../src/bundle/bundle.ts'
import { type LoadedModel, load } from '../../src/runtime/load.ts'
import { Engine, engineRecipe } from '../../src/explore/search/engine.ts'
import { packingOf } from '../../src/explore/state/layout.ts'
import type { Granularity } from '../../src/semantics/step-bounds.ts'
import { CONTROL, type ExpandResult, SearchWorker } from '../../src/explore/search/search-worker.ts'
import { newWordSegment } from '../../src/explore/store/state-words.ts'
import { MAX_SEGMENTS, newSegment, numberBits } from '../../src/explore/store/store-buffers.ts'
import { release } from '../../src/explore/search/collect.ts'
import type { StateMemory } from '../../src/explore/store/allocation.ts'
import { TUNING } from '../../src/explore/store/tuning.ts'
import { buildSystem } from '../../src/explore/state/system.ts'
import type { Check } from '../../src/model/check.ts'

/** Writes a model's text to a file of its own, bundles and loads it. */
export async function loadText(text: string): Promise<LoadedModel> {
  return load(await bundleText(text))
}

/** Writes a model's text to a file of its own and bundles it. */
export async function bundleText(text: string, form: BundleForm = 'lowered'): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'vmcheck-test-'))
  try {
    await writeFile(join(folder, 'model.ts'), text)
    return await bundle('model.ts', folder, null, form)
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
  /** Tells by the states' words, for each stored state, which actors have finished or can still move. */
  sweep(): void
  /** Numbers of the stored states. */
  indices(): Generator<number>
}

/** How a search on this thread differs from the plain one. */
export interface InlineOptions {
  /** Below 0: every step is executed each time, without a step table. */
  readonly patience?: number
  /** Whether interchangeable members are renamed. */
  readonly symmetry?: boolean
  /** Whether independent steps are taken in one order only. */
  readonly partialOrder?: boolean
  /** Whether successors that are sure to be stored are left out. */
  readonly sleepSets?: boolean
  /** For at most 2^(`bits` + 3) states. */
  readonly bits?: number
}

/** Explores a small model to the end on this thread, whatever is found. */
export function exploreInline(
  loaded: LoadedModel,
  granularity: Granularity,
  on: readonly Check[] = checks,
  params: Readonly<Record<string, unknown>> = {},
  {
    patience = TUNING.patience,
    symmetry = false,
    partialOrder = false,
    sleepSets = true,
    bits = 15,
  }: InlineOptions = {},
): InlineSearch {
  release()
  const system = buildSystem(loaded, params)
  const engine = new Engine(
    system,
    engineRecipe(
      system,
      params,
      granularity,
      on.map(({ name }) => name),
      'exact',
      { symmetry: symmetry ? { without: [] } : null, partialOrder },
      { ...TUNING, patience, sleepSets, localCapacity: { states: 1 << (bits + 1), words: 1 << (bits + 7) } },
    ),
    on,
  )
  const widths = system.actors.map(() => 16)
  const { words } = packingOf(system.layout, widths)
  const newMemory = (): StateMemory => ({
    words,
    widths,
    segments: Array.from({ length: 8 }, () => newSegment(words, bits)),
    segmentBits: bits,
    stateWords: Array.from({ length: 8 }, () => newWordSegment(bits)),
    table: new SharedArrayBuffer(1 << (bits + 5)),
    numberBits: numberBits(1 << (bits + 3)),
    usage: new SharedArrayBuffer((MAX_SEGMENTS + 1) * 4),
  })
  let stateMemory = newMemory()
  let levels: ExpandResult['levels'][number][] = []
  for (let known = -1; known !== (engine.persistentSets?.knownFacts ?? -1) || levels.length === 0;) {
    known = engine.persistentSets?.knownFacts ?? -1
    stateMemory = newMemory()
    levels = exploreAll(engine, stateMemory)
  }
  const sum = (count: 'transitions'): number => levels.reduce((total, { counts }) => total + counts[count], 0)
  return {
    engine,
    result: { levels, leftover: [], next: [], knownFacts: 0 },
    states: engine.store.size,
    transitions: sum('transitions'),
    sweep() {
      const ranges = levels.toReversed().flatMap((level) => level.ranges)
      while (
        new SearchWorker(engine, new SharedArrayBuffer(CONTROL.words * 4)).run({
          kind: 'sweep',
          stateMemory,
          ranges,
          isChain: false,
        }).result
      )
        continue
    },
    *indices() {
      for (const level of levels) for (const { from, to } of level.ranges) for (let i = from; i < to; i++) yield i
    },
  }
}

/** Explores everything once; what partial-order reduction has learnt by then is taken into account. */
function exploreAll(engine: Engine, stateMemory: StateMemory): ExpandResult['levels'][number][] {
  engine.attach(stateMemory)
  engine.store.insert(engine.initialState())
  const levels: ExpandResult['levels'][number][] = []
  let ranges = engine.store.rangesSince(new Int32Array(0))
  while (ranges.length > 0) {
    const result = new SearchWorker(engine, new SharedArrayBuffer(CONTROL.words * 4)).run({
      kind: 'expand',
      stateMemory,
      ranges,
      depth: levels.length,
      expanded: true,
      maxStates: Infinity,
      knownFacts: engine.persistentSets?.knownFacts ?? 0,
      solo: { width: Infinity, maxDepth: Infinity },
    }).result as ExpandResult
    levels.push(...result.levels)
    ranges = [...(result.next ?? [])]
  }
  return levels
}
