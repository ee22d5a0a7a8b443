import type { SourcePlace } from '../../source/refusal.ts'
import type { Engine, EngineRecipe } from './engine.ts'
import { PackingFullError } from '../state/local-states.ts'
import type { Times } from '../successors/profile.ts'
import { Repacking } from '../store/repacking.ts'
import type { StateMemory } from '../store/allocation.ts'
import { PART, StoreFullError } from '../store/batch.ts'
import { type Range, rangesSize } from '../store/store-buffers.ts'
import { GROUP } from '../successors/successors.ts'
import { Marking } from './marking.ts'
import { Sweep } from '../hangs/sweep.ts'
import { type Counts, newCounts } from '../successors/findings.ts'

/** Words of the search's control block. */
export const CONTROL = {
  /** Next chunk of the level to be taken. */
  cursor: 0,
  /** Set when the store needs room: workers return what is left of their chunk. */
  full: 1,
  /** Set to end the search: interrupt or time. */
  abort: 2,
  words: 4,
} as const

/** States a worker takes at a time. */
export const CHUNK = GROUP

/** One level's work, as a worker sees it. */
interface Work {
  readonly stateMemory: StateMemory
  readonly ranges: readonly Range[]
}

/** Takes states of a level (all workers share the cursor) and stores their successors. */
export interface ExpandTask extends Work {
  readonly kind: 'expand'
  readonly depth: number
  /** False: check only. */
  readonly expanded: boolean
  /** States at which the search ends as inconclusive. */
  readonly maxStates: number
  /** What partial-order reduction takes into account: the first so many things that were learnt. */
  readonly knownFacts: number
  /** Given to one worker alone: continues to later levels as long as they have fewer states than this and depth allows. */
  readonly solo: { readonly width: number; readonly maxDepth: number } | null
}

/** What became of the levels of an expand task. */
export interface ExpandResult {
  /** The level given, and with `solo` those after it. */
  readonly levels: readonly { readonly counts: Counts; readonly ranges: readonly Range[] }[]
  /** States of the last level taken but not processed, for lack of room. */
  readonly leftover: readonly Range[]
  /** With `solo`: the level that comes next; else null. */
  readonly next: readonly Range[] | null
  /** What was taken into account in the last level. */
  readonly knownFacts: number
}

/** Enters stored states into a new table. */
export interface RehashTask extends Work {
  readonly kind: 'rehash'
}

/** Packs stored states again, from the memory where they are into the one given, and enters them into its table. */
export interface RepackTask extends Work {
  readonly kind: 'repack'
  readonly before: StateMemory
}

/** Marks the states of a level that have a marked successor (one byte a state). */
export interface MarkTask extends Work {
  readonly kind: 'mark'
  readonly marks: SharedArrayBuffer
  readonly level: number
}

/** Part of the hang check: adds to each state's bits those of its successors, or of states met by wandering on from it. */
export interface SweepTask extends Work {
  readonly kind: 'sweep' | 'wander'
  /** The graph is long and narrow: most successors of a state are its neighbours. */
  readonly isChain: boolean
}

/** What is handed to every explorer thread when it starts. */
export interface ExplorerData {
  readonly recipe: EngineRecipe
  readonly control: SharedArrayBuffer
}

/** What a thread has done by now. */
export interface Effort {
  readonly times: Times
  /** Steps and blocked attempts asked for during the search. */
  readonly asked: number
  /** Successors built and looked up. */
  readonly built: number
  /** Those for which the model's code ran. */
  readonly executed: number
}

/** The steps by which states lead to marked ones (see {@link Marking}). */
export interface MarkResult {
  readonly edges: Uint32Array | null
}

/** What a task comes to: an expansion's result, the steps of a marking, or whether anything changed. */
export type TaskOutcome = ExpandResult | MarkResult | boolean

/** What a task came to, and what the thread has done by now. */
export interface TaskResult {
  readonly result: TaskOutcome
  readonly effort: Effort
}

/** What an explorer thread answers to a task; errors with fields of their own do not cross threads whole. */
export type WorkerAnswer =
  | (TaskResult & { readonly thread: number })
  | { readonly refusal: { readonly message: string; readonly at: SourcePlace | null } }
  | {
      readonly asymmetry: {
        readonly set: string
        readonly isDeclared: boolean
        readonly reason: string
        readonly at: SourcePlace | null
      }
    }
  | { readonly exhausted: true }

/** States of a task that are taken at a time. */
export function chunkOf(task: Task): number {
  return isVital(task) ? PART : CHUNK
}

/** Whether a task, once begun, is carried through whatever happens: states that are half moved are lost. */
export function isVital(task: Task): boolean {
  return task.kind === 'rehash' || task.kind === 'repack'
}

/** What the coordinator asks of a worker; `ready` only wakes it up. */
export type Task = ExpandTask | RehashTask | RepackTask | MarkTask | SweepTask | { readonly kind: 'ready' }

/** One worker's share of a search: executes tasks on its engine. No task waits for another. */
export class SearchWorker {
  readonly #engine: Engine
  readonly #control: Int32Array
  readonly #sweep: Sweep
  #deadline = Infinity
  #isVital = false
  #isAlone = false

  constructor(engine: Engine, control: SharedArrayBuffer) {
    this.#engine = engine
    this.#control = new Int32Array(control)
    this.#sweep = new Sweep(engine)
  }

  /**
   * Executes a task as long as there is work and time.
   *
   * @param isAlone whether no other thread takes part
   * @param deadline as performance.now gives it; what is not done by then stays at the cursor
   */
  run(task: Task, isAlone = false, deadline = Infinity): TaskResult {
    this.#isAlone = isAlone
    this.#deadline = deadline
    this.#isVital = isVital(task)
    return { result: task.kind === 'ready' ? false : this.#run(task), effort: this.#effort() }
  }

  #run(task: Exclude<Task, { kind: 'ready' }>): TaskOutcome {
    this.#engine.attach(task.stateMemory)
    switch (task.kind) {
      case 'expand':
        return this.#expand(task)
      case 'rehash':
        return this.#rehash(task)
      case 'repack':
        return this.#repack(task)
      case 'mark':
        return this.#mark(task)
      case 'sweep':
        return this.#sweepOver(task, (from, to) => this.#sweep.run(from, to, task.isChain))
      case 'wander':
        return this.#sweepOver(task, (from, to) => this.#sweep.wander(from, to))
    }
  }

  #effort(): Effort {
    const { profile, table } = this.#engine
    return {
      times: profile.times(table.executing),
      asked: profile.asked,
      built: profile.built,
      executed: table.recorded + table.executed,
    }
  }

  #expand(task: ExpandTask): ExpandResult {
    const { store } = this.#engine
    const levels: { counts: Counts; ranges: readonly Range[] }[] = []
    const { persistentSets } = this.#engine
    let { ranges, depth, knownFacts } = task
    for (;;) {
      persistentSets?.advance(knownFacts)
      const before = store.usage()
      const counts = newCounts()
      const leftover = this.#level(ranges, depth, task, counts)
      levels.push({ counts, ranges })
      if (!task.solo) return { levels, leftover, next: null, knownFacts }
      const next = store.rangesSince(before)
      const size = rangesSize(next)
      const isOver =
        leftover.length > 0 ||
        counts.findings.length > 0 ||
        size === 0 ||
        size >= task.solo.width ||
        depth + 1 >= task.solo.maxDepth
      if (isOver || this.#stopped()) return { levels, leftover, next, knownFacts }
      ranges = next
      depth++
      knownFacts = persistentSets?.knownFacts ?? 0
      Atomics.store(this.#control, CONTROL.cursor, 0)
    }
  }

  /** Processes chunks until none is left; returns what was taken but could not be processed. */
  #level(ranges: readonly Range[], depth: number, task: ExpandTask, counts: Counts): Range[] {
    const { expansion, store, successors, table } = this.#engine
    const leftover: Range[] = []
    this.#chunks(ranges, CHUNK, (from, to) => {
      try {
        expansion.process(from, to, depth, task.expanded, counts)
      } catch (error) {
        if (!(error instanceof StoreFullError || error instanceof PackingFullError)) throw error
        leftover.push({ from, to })
        Atomics.store(this.#control, CONTROL.full, 1)
        return
      }
      table.sample(
        successors.steps.leaves.subarray(0, successors.steps.starts[this.#engine.system.actors.length]),
        to - from,
      )
      if (store.isTight || store.size >= task.maxStates) Atomics.store(this.#control, CONTROL.full, 1)
    })
    return leftover
  }

  /** Hands out chunks by the shared cursor, as runs of consecutive states. */
  #chunks(ranges: readonly Range[], size: number, visit: (from: number, to: number) => void): void {
    const ends = new Float64Array(ranges.length)
    let total = 0
    ranges.forEach(({ from, to }, i) => (ends[i] = total += to - from))
    while (!this.#stopped()) {
      const start = Atomics.add(this.#control, CONTROL.cursor, 1) * size
      if (start >= total) return
      const end = Math.min(total, start + size)
      for (let i = firstBeyond(ends, start), at = start; at < end; i++) {
        const { to } = ranges[i] as Range
        const first = to - ((ends[i] as number) - at)
        const last = Math.min(to, first + end - at)
        visit(first, last)
        at += last - first
      }
    }
  }

  #stopped(): boolean {
    const isEnded = Atomics.load(this.#control, CONTROL.full) !== 0 || Atomics.load(this.#control, CONTROL.abort) !== 0
    return (isEnded && !this.#isVital) || performance.now() >= this.#deadline
  }

  #rehash({ ranges }: RehashTask): boolean {
    const { store, profile } = this.#engine
    profile.start()
    this.#chunks(ranges, PART, (from, to) => store.rehash({ from, to }, this.#isAlone))
    profile.end('grow')
    return true
  }

  #repack({ before, stateMemory, ranges }: RepackTask): boolean {
    const { profile } = this.#engine
    profile.start()
    const repacking = new Repacking(this.#engine.system.layout, before, stateMemory)
    this.#chunks(ranges, PART, (from, to) => {
      repacking.move({ from, to })
      this.#engine.store.rehash({ from, to }, this.#isAlone)
    })
    profile.end('grow')
    return true
  }

  #mark(task: MarkTask): MarkResult {
    const marking = new Marking(this.#engine, new Uint8Array(task.marks), task.level)
    this.#chunks(task.ranges, CHUNK, (from, to) => marking.run(from, to))
    return { edges: marking.edges }
  }

  #sweepOver(task: SweepTask, sweep: (from: number, to: number) => boolean): boolean {
    let hasChanged = false
    this.#chunks(task.ranges, CHUNK, (from, to) => {
      if (sweep(from, to)) hasChanged = true
    })
    return hasChanged
  }
}

/** The first position whose end lies beyond an offset. */
function firstBeyond(ends: Float64Array, offset: number): number {
  let low = 0
  let high = ends.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ends[middle] as number) > offset) high = middle
    else low = middle + 1
  }
  return low
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
