import type { SourcePlace } from '../compile/refusal.ts'
import type { Engine, EngineRecipe } from './engine.ts'
import { type Tally, newTally } from './expansion.ts'
import { type Range, type StoreBuffers, StoreFullError, rangesSize } from './state-store.ts'
import { hasFinished } from './layout.ts'

/** Words of the search's control block. */
export const CONTROL = {
  /** Next chunk of the level to be taken. */
  cursor: 0,
  /** Set when the store needs to grow: workers return what is left of their chunk. */
  full: 1,
  /** Set to end the search: interrupt or time. */
  abort: 2,
  words: 4,
} as const

/** States a worker takes at a time. */
export const CHUNK = 64

/** Bits of a state in the hang check: bit a: actor a has finished or can still move; this one: rest can be reached. */
export const REST_BIT = 1 << 30
const ALL_BITS = 0x7fffffff

/** One level's work, as a worker sees it. */
interface LevelWork {
  readonly store: StoreBuffers
  readonly ranges: readonly Range[]
}

/** Takes states of a level (all workers share the cursor) and stores their successors. */
export interface ExpandTask extends LevelWork {
  readonly kind: 'expand'
  readonly depth: number
  /** False: check only. */
  readonly expanded: boolean
  /** States at which the search ends as inconclusive. */
  readonly maxStates: number
  /** Given to one worker alone: goes on to later levels as long as they have fewer states than this and depth allows. */
  readonly solo: { readonly width: number; readonly maxDepth: number } | null
}

/** What became of the levels of an expand task. */
export interface ExpandResult {
  /** The level given, and with `solo` those after it. */
  readonly levels: readonly { readonly tally: Tally; readonly ranges: readonly Range[] }[]
  /** States of the last level taken but not processed, because the store was full. */
  readonly leftover: readonly Range[]
  /** With `solo`: the level that comes next; else null. */
  readonly next: readonly Range[] | null
  readonly recorded: number
}

/** Enters stored states into a new table. */
export interface RehashTask {
  readonly kind: 'rehash'
  readonly store: StoreBuffers
  readonly segments: readonly number[]
}

/** Marks the states of a level that have a marked successor (one byte a state). */
export interface MarkTask extends LevelWork {
  readonly kind: 'mark'
  readonly marks: SharedArrayBuffer
  readonly level: number
}

/** One sweep of the hang check: adds to each state's bits those of its successors (one Int32 a state). */
export interface SweepTask extends LevelWork {
  readonly kind: 'sweep'
  readonly bits: SharedArrayBuffer
  /** Nothing is claimed of states that are findings already, nor of those before them. */
  readonly settle: boolean
}

/** What is handed to every explorer thread when it starts. */
export interface ExplorerData {
  readonly recipe: EngineRecipe
  readonly control: SharedArrayBuffer
}

/** What an explorer thread answers to a task; errors with fields of their own do not cross threads whole. */
export type WorkerAnswer =
  | { readonly result: ExpandResult | boolean }
  | { readonly refusal: { readonly message: string; readonly at: SourcePlace | null } }
  | { readonly exhausted: true }

/** What the coordinator asks of a worker. */
export type Task = ExpandTask | RehashTask | MarkTask | SweepTask

/** One worker's share of a search: executes tasks on its engine. No task waits for another. */
export class Share {
  readonly #engine: Engine
  readonly #control: Int32Array

  constructor(engine: Engine, control: SharedArrayBuffer) {
    this.#engine = engine
    this.#control = new Int32Array(control)
  }

  /** Executes a task: an expansion's result, or whether anything changed. */
  run(task: Task): ExpandResult | boolean {
    this.#engine.store.attach(task.store)
    switch (task.kind) {
      case 'expand':
        return this.#expand(task)
      case 'rehash':
        for (const segment of task.segments) this.#engine.store.rehash(segment)
        return true
      case 'mark':
        return this.#mark(task)
      case 'sweep':
        return this.#sweep(task)
    }
  }

  #expand(task: ExpandTask): ExpandResult {
    const { store, table } = this.#engine
    const levels: { tally: Tally; ranges: readonly Range[] }[] = []
    let { ranges, depth } = task
    for (;;) {
      const before = store.usage()
      const tally = newTally()
      const leftover = this.#level(ranges, depth, task, tally)
      levels.push({ tally, ranges })
      if (!task.solo) return { levels, leftover, next: null, recorded: table.recorded }
      const next = store.rangesSince(before)
      const size = rangesSize(next)
      const isOver = leftover.length > 0 || tally.findings.length > 0 || size === 0 || size >= task.solo.width || depth + 1 >= task.solo.maxDepth
      if (isOver || this.#stopped()) return { levels, leftover, next, recorded: table.recorded }
      ranges = next
      depth++
      Atomics.store(this.#control, CONTROL.cursor, 0)
    }
  }

  /** Processes chunks until none is left; returns what was taken but could not be processed. */
  #level(ranges: readonly Range[], depth: number, task: ExpandTask, tally: Tally): Range[] {
    const { expansion, store } = this.#engine
    const leftover: Range[] = []
    this.#chunks(ranges, (from, to) => {
      for (let index = from; index < to; index++) {
        try {
          expansion.process(index, depth, task.expanded, tally)
        } catch (error) {
          if (!(error instanceof StoreFullError)) throw error
          leftover.push({ from: index, to })
          Atomics.store(this.#control, CONTROL.full, 1)
          return
        }
      }
      const { size } = store
      if (size > store.capacity * 0.6 || size >= task.maxStates) Atomics.store(this.#control, CONTROL.full, 1)
    })
    return leftover
  }

  /** Hands out chunks by the shared cursor, as runs of consecutive states. */
  #chunks(ranges: readonly Range[], visit: (from: number, to: number) => void): void {
    const total = rangesSize(ranges)
    while (!this.#stopped()) {
      const start = Atomics.add(this.#control, CONTROL.cursor, 1) * CHUNK
      if (start >= total) return
      for (const { from, to } of slice(ranges, start, Math.min(total, start + CHUNK))) visit(from, to)
    }
  }

  #stopped(): boolean {
    return Atomics.load(this.#control, CONTROL.full) !== 0 || Atomics.load(this.#control, CONTROL.abort) !== 0
  }

  #mark(task: MarkTask): boolean {
    const { store, expansion } = this.#engine
    const marks = new Uint8Array(task.marks)
    this.#chunks(task.ranges, (from, to) => {
      for (let index = from; index < to; index++) {
        expansion.forEachSuccessor(store.at(index), (_actor, _leaf, next) => {
          if (marks[store.find(next)] === markOf(task.level + 1)) marks[index] = markOf(task.level)
        })
      }
    })
    return true
  }

  #sweep(task: SweepTask): boolean {
    const bits = new Int32Array(task.bits)
    let changed = false
    this.#chunks(task.ranges, (from, to) => {
      for (let index = to - 1; index >= from; index--) {
        const before = bits[index] as number
        const after = before | this.#reach(index, bits, task.settle)
        if (after === before) continue
        bits[index] = after
        changed = true
      }
    })
    return changed
  }

  /** Bits of a state from its own actors and its successors'. */
  #reach(index: number, bits: Int32Array, settle: boolean): number {
    const { store, expansion, system, view } = this.#engine
    const words = store.at(index)
    let reach = 0
    let resting = true
    for (const actor of system.actors) {
      if (hasFinished(system.layout, words, actor.id) || (actor.kind === 'handler' && !view.isHandling(words, actor))) reach |= 1 << actor.id
      else if (actor.mustFinish) resting = false
    }
    if (resting) reach |= REST_BIT
    if (settle && this.#isSettled(words)) return ALL_BITS
    expansion.forEachSuccessor(words, (actor, leaf, next) => {
      const target = store.find(next)
      // a step that only reads and changes nothing is a spin, not movement; one that reads nothing waits for nothing
      if ((target !== index && leaf.moves) || !leaf.reads) reach |= 1 << actor.id
      if (target >= 0) reach |= bits[target] as number
    })
    return reach
  }

  /**
   * Whether nothing is to be claimed of a state by looking ahead: what lies beyond a fault is not explored, and one
   * where nobody can move or a cycle of waits has closed is a finding already, of which its predecessors are no news.
   */
  #isSettled(words: Int32Array): boolean {
    const { expansion, view, system } = this.#engine
    const leaves = expansion.steps(words)
    if (leaves.some((steps) => steps.some(({ outcome }) => outcome === 'fault'))) return true
    view.show(words, leaves, false)
    const isHung = view.terminal && system.actors.some((actor) => !view.mayStand(actor))
    return isHung || view.waitCycle().some((actor) => !view.mayStand(actor))
  }
}

/** The mark of a state on a shortest path: tells neighbouring levels apart. */
export function markOf(level: number): number {
  return 1 + (level & 1)
}

/** The part of a concatenation of ranges from offset `start` to `end`. */
export function slice(ranges: readonly Range[], start: number, end: number): Range[] {
  const found: Range[] = []
  let offset = 0
  for (const { from, to } of ranges) {
    const size = to - from
    const a = Math.max(0, start - offset)
    const b = Math.min(size, end - offset)
    if (a < b) found.push({ from: from + a, to: from + b })
    offset += size
  }
  return found
}
