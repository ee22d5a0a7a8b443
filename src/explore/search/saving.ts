import type { StateMemory } from '../store/allocation.ts'
import type { Range } from '../store/store-buffers.ts'
import type { Checkpoints, Snapshot } from './checkpoint/checkpoints.ts'
import { CheckpointError } from './checkpoint/manifest.ts'
import type { Engine, EngineRecipe } from './engine.ts'
import type { SearchLog } from './search-log.ts'

/** What a search is saved from. */
export interface SavingParts {
  readonly engine: Engine
  readonly recipe: EngineRecipe
  readonly log: SearchLog
  /** Whether states have words for the hang check. */
  readonly hasStateWords: boolean
  /** Told of a checkpoint that could not be written. */
  readonly warn: (message: string) => void
}

/** Writes a search to its checkpoints: as it was when the last level began. */
export class Saving {
  readonly #checkpoints: Checkpoints
  readonly #with: SavingParts
  #barrier: Snapshot | null = null

  constructor(checkpoints: Checkpoints, parts: SavingParts) {
    this.#checkpoints = checkpoints
    this.#with = parts
  }

  /** A level begins: notes how the search is now, and writes it if that is due. */
  async begin(frontier: readonly Range[], stateMemory: StateMemory, seconds: number): Promise<void> {
    this.#barrier = this.#snapshot(frontier, stateMemory, seconds)
    if (this.#checkpoints.isDue) await this.save(stateMemory)
  }

  /** Writes the search as it was at the last barrier; states that came since are left out, though they may be packed otherwise now. */
  async save({ widths }: StateMemory): Promise<void> {
    const { store, stateWords, locals, system } = this.#with.engine
    if (!this.#barrier) return
    try {
      await this.#checkpoints.save(
        { ...this.#barrier, widths },
        { store, stateWords, locals, actors: system.actors.length, hasStateWords: this.#with.hasStateWords },
      )
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error
      this.#checkpoints.postpone()
      this.#with.warn(`the checkpoint ${error.message}; the search continues, and the last checkpoint stays`)
    }
  }

  #snapshot(frontier: readonly Range[], { segmentBits, widths }: StateMemory, seconds: number): Snapshot {
    const { engine, recipe, log } = this.#with
    const base64 = (bytes: SharedArrayBuffer): string => Buffer.from(new Uint8Array(bytes)).toString('base64')
    return {
      seconds,
      segmentBits,
      widths,
      usage: [...engine.store.usage()],
      levels: log.levels.map(({ ranges, transitions, endStates, pruned, beyond, alone, open }) => ({
        ranges,
        transitions,
        endStates,
        pruned,
        beyond,
        alone,
        open,
      })),
      frontier,
      looped: log.looped,
      findings: [...log.findings],
      coverage: base64(recipe.coverage),
      propertyCounts: base64(recipe.propertyCounts),
    }
  }
}
