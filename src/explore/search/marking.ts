import type { Cell } from '../state/layout.ts'
import type { LocalStates } from '../state/local-states.ts'
import { PART } from '../store/batch.ts'
import type { StateStore } from '../store/state-store.ts'
import type { Successors } from '../successors/successors.ts'
import type { Symmetry } from '../symmetry/symmetry.ts'
import { IDLE, LEAF, OUTCOME, STEP } from '../table/leaf.ts'
import type { StepTable } from '../table/step-table.ts'

/** Words of edges that one thread keeps of one level at most. */
const MOST_WORDS = 1 << 20

/** What {@link Marking} needs of an engine. */
export interface MarkingParts {
  readonly store: StateStore
  readonly successors: Successors
  readonly table: StepTable
  readonly locals: LocalStates
  /** Null: no members are renamed. */
  readonly symmetry: Symmetry | null
}

/** The mark of a state on a shortest path: tells neighbouring levels apart. */
export function markOf(level: number): number {
  return 1 + (level & 1)
}

/**
 * Marks the states of a level that lead to marked ones of the next, and remembers by which steps, so that no step has to be
 * taken again to choose among the paths. States are looked up together, as the search does it.
 */
export class Marking {
  readonly #parts: MarkingParts
  readonly #marks: Uint8Array
  readonly #level: number
  /** State, actor and state reached, one after another; null: see {@link edges}. */
  #edges: number[] | null
  /** By position in the batch: the state and the actor. */
  readonly #states = new Float64Array(PART)
  readonly #actors = new Int32Array(PART)

  /** @param level of the states to be marked */
  constructor(parts: MarkingParts, marks: Uint8Array, level: number) {
    this.#parts = parts
    this.#marks = marks
    this.#level = level
    this.#edges = parts.symmetry === null ? [] : null
  }

  /** State, actor and state reached of each step found, in order of states and actors; null: there were too many, or members are renamed, so that an actor may be called otherwise in the state reached. */
  get edges(): Uint32Array | null {
    return this.#edges && Uint32Array.from(this.#edges)
  }

  /** Looks at stored states, at most a group. */
  run(from: number, to: number): void {
    const { successors, table, locals } = this.#parts
    const { steps } = successors
    successors.load(from, to)
    successors.walk()
    successors.clearBatch()
    const actors = locals.packing.locals.length
    for (let i = 0; i < successors.count; i++) {
      for (let actor = 0; actor < actors; actor++) {
        const { mask } = locals.packing.locals[actor] as Cell
        const end = steps.starts[i * actors + actor + 1] as number
        for (let at = steps.starts[i * actors + actor] as number; at < end; at++) {
          const leaf = steps.leaves[at] as number
          if (((table.words[leaf] as number) & (OUTCOME | IDLE)) !== STEP) continue
          // a local state that no stored state has: the step was left out by a reduction
          if (((table.words[leaf + LEAF.local] as number) & ~mask) !== 0) continue
          const position = successors.batch.count
          this.#states[position] = from + i
          this.#actors[position] = actor
          successors.buildOne(i, actor, leaf)
          if (successors.batch.count === PART) this.#gather()
        }
      }
    }
    this.#gather()
  }

  #gather(): void {
    const { store, successors } = this.#parts
    const { batch } = successors
    const found = store.findAll(batch)
    const wanted = markOf(this.#level + 1)
    for (let k = 0; k < batch.count; k++) {
      const target = (found[k] as number) >>> 0
      if (target === 0xffffffff || this.#marks[target] !== wanted) continue
      const state = this.#states[k] as number
      this.#marks[state] = markOf(this.#level)
      this.#remember(state, this.#actors[k] as number, target)
    }
    successors.clearBatch()
  }

  #remember(state: number, actor: number, target: number): void {
    if (!this.#edges) return
    this.#edges.push(state, actor, target)
    if (this.#edges.length > MOST_WORDS) this.#edges = null
  }
}
