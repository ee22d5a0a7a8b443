import type { Engine } from '../engine.ts'
import { packingOf } from '../../state/layout.ts'
import { Level } from '../level.ts'
import { repack } from '../../store/repacking.ts'
import { type StateMemory, memoryFor } from '../../store/allocation.ts'
import type { Range } from '../../store/store-buffers.ts'
import type { LocatedFinding } from '../../successors/findings.ts'
import type { Checkpoints } from './checkpoints.ts'
import { CheckpointError, type Manifest, type Part } from './manifest.ts'

/** A search as a checkpoint left it. */
export interface Revived {
  readonly levels: readonly Level[]
  readonly findings: readonly LocatedFinding[]
  readonly looped: boolean
  readonly frontier: readonly Range[]
  readonly seconds: number
}

/** Brings a checkpoint's states back: into the segments that they were in, under the numbers that they had. */
export class Revival {
  /** Where the states are going to be. */
  readonly stateMemory: StateMemory
  readonly #engine: Engine
  readonly #checkpoints: Checkpoints
  readonly #manifest: Manifest

  constructor(engine: Engine, checkpoints: Checkpoints, first: StateMemory, workers: number) {
    const manifest = checkpoints.resumed as Manifest
    const { usage, widths, segmentBits } = manifest
    if (segmentBits !== first.segmentBits) throw new CheckpointError('its states are kept in segments of another size')
    this.#engine = engine
    this.#checkpoints = checkpoints
    this.#manifest = manifest
    this.stateMemory = memoryFor(
      first,
      usage.reduce((sum, states) => sum + states, 0),
      usage.length,
      widths,
      engine.system.layout,
      workers,
    )
  }

  /**
   * Fills the memory, all but its table, and what is given.
   * @throws CheckpointError for a damaged checkpoint
   */
  async restore(shared: {
    readonly coverage: SharedArrayBuffer
    readonly propertyCounts: SharedArrayBuffer
  }): Promise<Revived> {
    const { store, stateWords, locals } = this.#engine
    const { usage, levels, findings, looped, frontier, seconds } = this.#manifest
    this.#engine.attach(this.stateMemory)
    store.restore(usage)
    await this.#checkpoints.restore({
      states: (part, first, words) => this.#states(part, first, words),
      stateWords: (first, bits) => bits.forEach((known, i) => stateWords.set(first + i, known)),
      local: (actor, id, words) => {
        if (locals.intern(actor, words) !== id)
          throw new CheckpointError('its local states are not those of this model')
      },
    })
    copy(this.#manifest.coverage, shared.coverage)
    copy(this.#manifest.propertyCounts, shared.propertyCounts)
    return { levels: levels.map(levelOf), findings, looped, frontier, seconds }
  }

  #states({ words: size, widths }: Part, first: number, words: Int32Array): void {
    const { store, system, locals } = this.#engine
    const from = packingOf(system.layout, widths)
    const isSame = widths.every((width, actor) => width === locals.packing.widths[actor])
    for (let at = 0, state = first; at < words.length; at += size, state++) {
      const source = words.subarray(at, at + size)
      if (isSame) store.at(state).set(source)
      else repack(system.layout, source, from, store.at(state), locals.packing)
    }
  }
}

function levelOf({ ranges, ...counts }: Manifest['levels'][number]): Level {
  return Object.assign(new Level(ranges), counts)
}

function copy(base64: string, into: SharedArrayBuffer): void {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length !== into.byteLength) throw new CheckpointError('written for another model')
  new Uint8Array(into).set(bytes)
}
