import type { Check } from '../../model/check.ts'
import type { Checkpoints, Snapshot } from './checkpoint/checkpoints.ts'
import { CheckpointError } from './checkpoint/manifest.ts'
import { Revival } from './checkpoint/revival.ts'
import { WorkerPool } from './worker-pool.ts'
import { Engine, type EngineRecipe, type Reductions, engineRecipe, hasSleepSets } from './engine.ts'
import { hangs } from '../hangs/hangs.ts'
import { Level } from './level.ts'
import type { Effort, ExpandResult, ExpandTask, SweepTask, Task } from './search-worker.ts'
import { CHUNK, CONTROL, slice } from './search-worker.ts'
import { STATE_WORD_BYTES } from '../store/state-words.ts'
import { release } from './collect.ts'
import { type StateMemory, enlarged, firstMemory, needOf, commitTable } from '../store/allocation.ts'
import { MAX_SEGMENTS, type Range, rangesSize, storeBytes } from '../store/state-store.ts'
import type { Granularity } from '../../semantics/step-bounds.ts'
import type { System } from '../state/system.ts'
import type { LocatedFinding } from '../successors/findings.ts'
import { TUNING, type Tuning } from '../store/tuning.ts'

/** Bounds of a search; all of them end it as inconclusive, unless nothing was left to do. */
export interface Limits {
  readonly maxStates: number
  readonly maxDepth: number
  /** Seconds. */
  readonly time: number
  /** Bytes. */
  readonly memory: number
}

/** What a search is asked to do. */
export interface SearchOptions {
  readonly params: Readonly<Record<string, unknown>>
  readonly granularity: Granularity
  /** The checks that are on. */
  readonly checks: readonly Check[]
  readonly keepGoing: boolean
  readonly reductions: Reductions
  readonly workers: number
  readonly limits: Limits
  readonly signal: AbortSignal
  readonly progress: (progress: Progress) => void
  /** Other sizes than the usual ones, on which no result depends. */
  readonly tuning?: Partial<Tuning>
  /** Where the search is written to from time to time, and goes on from; not with partial-order reduction. */
  readonly checkpoints?: Checkpoints
  /** Told of a checkpoint that could not be written: the search continues, and tries again later. */
  readonly warn?: (message: string) => void
}

/** How far a search has come. */
export interface Progress {
  /** States stored so far. */
  readonly states: number
  /** Transitions followed so far. */
  readonly transitions: number
  /** Steps from the initial state to the states that are explored now. */
  readonly depth: number
  /** States still to be explored at this depth. */
  readonly frontier: number
  /** Bytes in use. */
  readonly bytes: number
  /** Seconds since the search began. */
  readonly seconds: number
}

/** Why a search ended before its end. */
export type StopReason = 'memory' | 'states' | 'depth' | 'time' | 'interrupt' | 'check off'

/** What a search found. */
export interface SearchResult {
  readonly findings: readonly LocatedFinding[]
  readonly exhaustive: boolean
  readonly stopped: { readonly reason: StopReason; readonly frontier: number } | null
  readonly states: number
  readonly transitions: number
  readonly depth: number
  readonly endStates: number
  /** Steps that ended in faults of checks that are off. */
  readonly pruned: number
  /** States out of which partial-order reduction took the steps of one actor only. */
  readonly alone: number
  readonly seconds: number
  readonly bytes: number
  readonly bytesPerState: number
  /** What the threads' time went to. */
  readonly effort: Effort
  /** CPU seconds of the process: until all states were stored and checked, and in all. */
  readonly cpu: { readonly search: number; readonly all: number }
  /** States by level. */
  readonly levels: readonly (readonly Range[])[]
  /** Whether some step closed a loop. */
  readonly looped: boolean
  /** Whether a code site was reached, by site number. */
  readonly coverage: Uint8Array
}

/** Level-synchronous breadth-first search of a system, in worker threads over one shared store. */
export class Search {
  /** This thread's engine: the initial state, the canonical order, and reports. */
  readonly engine: Engine
  readonly #options: SearchOptions
  readonly #seeksHangs: boolean
  /** Whether every state has a word for the hang check and its sleep set. */
  readonly #hasStateWords: boolean
  readonly #recipe: EngineRecipe
  readonly #control: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(CONTROL.words * 4))
  readonly #started = performance.now()
  readonly #startedCpu = process.cpuUsage()
  #searchCpu = 0
  readonly #levels: Level[] = []
  readonly #findings: LocatedFinding[] = []
  readonly #pool: WorkerPool
  #stateMemory: StateMemory
  #looped = false
  #stopped: StopReason | null = null
  /** States stored but not expanded when the search stopped. */
  #left = 0
  /** Depth of the violation that ended the search. */
  #endDepth = Infinity
  /** The search as it was when the last level began. */
  #barrier: Snapshot | null = null
  /** Seconds that the search took before it was taken up again. */
  #secondsBefore = 0

  constructor(system: System, options: SearchOptions) {
    const tuning = { ...TUNING, ...options.tuning }
    this.#options = options
    this.#seeksHangs = options.checks.some(({ hang }) => hang)
    this.#recipe = engineRecipe(
      system,
      options.params,
      options.granularity,
      options.checks.map(({ name }) => name),
      this.#seeksHangs ? 'settled' : 'off',
      options.reductions,
      tuning,
    )
    this.#hasStateWords = this.#seeksHangs || hasSleepSets(this.#recipe)
    this.engine = new Engine(system, this.#recipe, options.checks)
    this.#stateMemory = firstMemory(this.engine.locals, tuning, options.workers, this.#hasStateWords)
    this.engine.attach(this.#stateMemory)
    this.#pool = new WorkerPool(this.engine, this.#recipe, this.#control, options.workers, () => this.#abort('memory'))
  }

  /**
   * Runs the search to its end, a violation, or a bound.
   * @throws Refusal when a step cannot be explored; Error when a worker dies
   */
  async run(): Promise<SearchResult> {
    const timer = this.#watch()
    try {
      await this.#learn()
      this.#searchCpu = cpuSeconds(this.#startedCpu)
      if (this.#findings.length === 0 || this.#options.keepGoing) await this.#afterwards()
      await this.#keep()
      return this.#result()
    } finally {
      clearInterval(timer)
    }
  }

  /** Ends the worker threads. */
  async close(): Promise<void> {
    Atomics.store(this.#control, CONTROL.abort, 1)
    await this.#pool.close()
    release()
  }

  /** Executes a task over the chunks of some ranges, on every worker if it may be shared; true when one of them says so. */
  async sharedTask(task: Exclude<Task, { kind: 'expand' | 'ready' }>, mayShare = true): Promise<boolean> {
    this.#resetCursor()
    // a trace is wanted also after a bound has ended the search
    if (task.kind === 'mark') Atomics.store(this.#control, CONTROL.abort, 0)
    const results = await this.#pool.run(task, mayShare && rangesSize(task.ranges) >= this.#recipe.tuning.narrow)
    return results.some((result) => result === true)
  }

  /** Where the states are now. */
  get stateMemory(): StateMemory {
    return this.#stateMemory
  }

  #watch(): NodeJS.Timeout {
    const { signal, limits, progress } = this.#options
    const check = (): void => {
      if (signal.aborted) this.#abort('interrupt')
      else if (this.#seconds() >= limits.time) this.#abort('time')
      progress(this.#progress())
    }
    check() // whoever has given up before does not wait for the first step
    return setInterval(check, 50)
  }

  #abort(reason: StopReason): void {
    this.#stopped ??= reason
    Atomics.store(this.#control, CONTROL.abort, 1)
  }

  #seconds(): number {
    return (performance.now() - this.#started) / 1000
  }

  #progress(): Progress {
    const { store } = this.engine
    return {
      states: store.size,
      transitions: this.#levels.reduce((sum, level) => sum + level.transitions, 0),
      depth: Math.max(0, this.#levels.length - 1),
      frontier: this.#levels.at(-1)?.states ?? 0,
      bytes: this.#bytes(),
      seconds: this.#seconds(),
    }
  }

  #bytes(): number {
    return this.#stateBytes() + this.engine.bytes
  }

  /** Bytes that states take: themselves, the table, and what the hang check needs. */
  #stateBytes(): number {
    const { size } = this.engine.store
    return storeBytes(this.#stateMemory, size) + (this.#hasStateWords ? size * STATE_WORD_BYTES : 0)
  }

  /** Explores; under partial-order reduction again and again, until nothing is learnt that the search before did not know. */
  async #learn(): Promise<void> {
    const { persistentSets } = this.engine
    for (;;) {
      const known = persistentSets?.knownFacts ?? 0
      await this.#explore()
      const isOver = this.#stopped || (this.#findings.length > 0 && !this.#options.keepGoing)
      if (isOver || !persistentSets || persistentSets.knownFacts === known) return
      this.#levels.length = 0
      this.#findings.length = 0
      this.#looped = false
      this.#stateMemory = firstMemory(
        this.engine.locals,
        this.#recipe.tuning,
        this.#options.workers,
        this.#hasStateWords,
      )
      this.engine.attach(this.#stateMemory)
      release()
    }
  }

  async #explore(): Promise<void> {
    const { checkpoints } = this.#options
    let frontier = checkpoints?.resumed ? await this.#revive(checkpoints) : this.#begin()
    while (rangesSize(frontier) > 0) {
      if (checkpoints) this.#barrier = this.#snapshot(frontier)
      if (checkpoints?.isDue) await this.#save(checkpoints)
      const isBounded = this.#levels.length >= this.#options.limits.maxDepth
      frontier = await this.#advance(frontier, !isBounded)
      if (this.#stopped) return
      if (isBounded) {
        this.#left = this.#levels.at(-1)?.open ?? 0
        if (this.#left > 0) this.#stopped = 'depth'
        return
      }
      if (this.#findings.length > 0 && !this.#options.keepGoing) {
        await this.#settle(frontier)
        return
      }
    }
  }

  #begin(): Range[] {
    this.engine.store.insert(this.engine.initialState())
    return this.engine.store.rangesSince(new Int32Array(0))
  }

  /** Takes the search up where a checkpoint left it: the states to be expanded next. */
  async #revive(checkpoints: Checkpoints): Promise<Range[]> {
    const { workers } = this.#options
    const revival = new Revival(this.engine, checkpoints, this.#stateMemory, workers)
    this.#stateMemory = revival.stateMemory
    const { levels, findings, looped, frontier, seconds } = await revival.restore({
      coverage: this.#recipe.coverage,
      propertyCounts: this.#recipe.propertyCounts,
    })
    await this.sharedTask(
      { kind: 'rehash', stateMemory: this.#stateMemory, ranges: this.engine.store.rangesSince(new Int32Array(0)) },
      false,
    )
    this.#levels.push(...levels)
    this.#findings.push(...findings)
    this.#looped = looped
    this.#secondsBefore = seconds
    return [...frontier]
  }

  /** What a checkpoint tells of the search, at a barrier. */
  #snapshot(frontier: readonly Range[]): Snapshot {
    const base64 = (bytes: SharedArrayBuffer): string => Buffer.from(new Uint8Array(bytes)).toString('base64')
    return {
      seconds: this.#secondsBefore + this.#seconds(),
      segmentBits: this.#stateMemory.segmentBits,
      widths: this.#stateMemory.widths,
      usage: [...this.engine.store.usage()],
      levels: this.#levels.map(({ ranges, transitions, endStates, pruned, alone, open }) => ({
        ranges,
        transitions,
        endStates,
        pruned,
        alone,
        open,
      })),
      frontier,
      looped: this.#looped,
      findings: [...this.#findings],
      coverage: base64(this.#recipe.coverage),
      propertyCounts: base64(this.#recipe.propertyCounts),
    }
  }

  /** Writes the search as it was at the last barrier; states that came since are left out, though they may be packed otherwise now. */
  async #save(checkpoints: Checkpoints): Promise<void> {
    const { store, stateWords, locals, system } = this.engine
    if (!this.#barrier) return
    try {
      await checkpoints.save(
        { ...this.#barrier, widths: this.#stateMemory.widths },
        { store, stateWords, locals, actors: system.actors.length, hasStateWords: this.#seeksHangs },
      )
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error
      checkpoints.postpone()
      this.#options.warn?.(`the checkpoint ${error.message}; the search continues, and the last checkpoint stays`)
    }
  }

  /** At the end of a search: what was not finished is kept. A checkpoint of what was stays until its report is written. */
  async #keep(): Promise<void> {
    const { checkpoints, keepGoing } = this.#options
    const isDone = !this.#stopped || (this.#findings.length > 0 && !keepGoing)
    if (checkpoints && !isDone) await this.#save(checkpoints)
  }

  /**
   * A violation was found in the last level or in a step out of it. In the second case the states of the next level
   * may hold one of the same depth that comes first in canonical order.
   */
  async #settle(next: Range[]): Promise<void> {
    const depth = this.#levels.length - 1
    if (this.#findings.some((finding) => finding.depth === depth)) {
      this.#endDepth = depth
      return
    }
    this.#endDepth = depth + 1
    if (rangesSize(next) > 0) await this.#advance(next, false)
  }

  /** Processes a level, or when it is narrow several on this thread; returns the states of the next. */
  async #advance(frontier: readonly Range[], expanded: boolean): Promise<Range[]> {
    this.#levels.push(new Level(frontier))
    let work = frontier
    let found: Range[] = []
    let knownFacts = this.engine.persistentSets?.knownFacts ?? 0
    while (rangesSize(work) > 0 && (await this.#grow())) {
      const isNarrow = rangesSize(work) < this.#recipe.tuning.narrow
      const isSolo = isNarrow && expanded && work === frontier && !this.#options.keepGoing
      const before = this.engine.store.usage()
      const results = await this.#expand(work, expanded, isNarrow, isSolo, knownFacts)
      knownFacts = results[0]?.knownFacts ?? knownFacts // with isSolo that of a later level
      const processed = isSolo ? (this.#levels.at(-1) as Level).ranges : work
      const untaken = slice(processed, Atomics.load(this.#control, CONTROL.cursor) * CHUNK, Infinity)
      work = [...results.flatMap(({ leftover }) => leftover), ...untaken]
      found = isSolo ? [...(results[0]?.next ?? [])] : [...found, ...this.engine.store.rangesSince(before)]
      this.#left = rangesSize(work) + rangesSize(found)
      if (this.engine.store.size >= this.#options.limits.maxStates && this.#left > 0) this.#abort('states')
      if (this.#stopped) return []
    }
    return found
  }

  async #expand(
    work: readonly Range[],
    expanded: boolean,
    isNarrow: boolean,
    isSolo: boolean,
    knownFacts: number,
  ): Promise<readonly ExpandResult[]> {
    const { maxStates, maxDepth } = this.#options.limits
    const task: ExpandTask = {
      kind: 'expand',
      stateMemory: this.#stateMemory,
      ranges: work,
      depth: this.#levels.length - 1,
      expanded,
      maxStates,
      knownFacts,
      solo: isSolo ? { width: this.#recipe.tuning.narrow, maxDepth } : null,
    }
    this.#resetCursor()
    const results = (await (isSolo
      ? this.#pool.once(task)
      : this.#pool.run(task, !isNarrow))) as readonly ExpandResult[]
    this.#merge(results)
    return results
  }

  /** Adds what workers did to the levels' counts. */
  #merge(results: readonly ExpandResult[]): void {
    const first = this.#levels.length - 1
    for (const { levels } of results) {
      levels.forEach(({ counts, ranges }, i) => {
        if (first + i === this.#levels.length) this.#levels.push(new Level(ranges))
        this.#levels[first + i]?.add(counts)
        this.#looped ||= counts.looped
        for (const finding of counts.findings) this.engine.expansion.keepFirst(finding, this.#findings)
      })
    }
  }

  #resetCursor(): void {
    Atomics.store(this.#control, CONTROL.cursor, 0)
    Atomics.store(this.#control, CONTROL.full, 0)
  }

  /** Adds segments, widens local states and enlarges the table as needed; false when the memory budget does not allow it. */
  async #grow(): Promise<boolean> {
    const { store, locals, system } = this.engine
    const need = needOf(this.#stateMemory, store, locals, system.layout, this.#options.workers)
    if (
      this.#bytes() + need.bytes > this.#options.limits.memory ||
      this.#stateMemory.segments.length + need.segments >= MAX_SEGMENTS
    ) {
      this.#abort('memory')
      return false
    }
    const before = this.#stateMemory
    this.#stateMemory = enlarged(before, need, system.layout)
    if (this.#stateMemory.table !== before.table) {
      await commitTable(this.#stateMemory.table, this.#recipe.tuning.slice, () => this.#stopped !== null)
      if (this.#stopped !== null) {
        this.#stateMemory = before
        return false
      }
    }
    const ranges = store.rangesSince(new Int32Array(0))
    if (need.isWidened) await this.sharedTask({ kind: 'repack', before, stateMemory: this.#stateMemory, ranges })
    // alone: two threads take 0.6 s of wall time for what one does in 0.35 s without exchanges (philosophers, 14)
    else if (need.isTight) await this.sharedTask({ kind: 'rehash', stateMemory: this.#stateMemory, ranges })
    this.engine.attach(this.#stateMemory)
    return !this.#stopped
  }

  /** What only the finished graph tells: who can never move again, and what was never reached. */
  async #afterwards(): Promise<void> {
    if (this.#stopped) return
    const { checks } = this.#options
    if (this.#looped && this.#seeksHangs) await this.#findHangs()
    if (this.#stopped) return
    const { propertyCounts, system } = this.engine
    const counted = system.machine.properties.map((property) => ({
      property,
      evaluated: propertyCounts.evaluated(property),
      met: propertyCounts.met(property),
    }))
    for (const check of checks) {
      for (const finding of check.end?.(counted, checks) ?? []) {
        this.engine.expansion.keepFirst(
          { ...finding, depth: this.#levels.length, state: 0, step: null },
          this.#findings,
        )
      }
    }
  }

  /**
   * Wanderings, which tell most of it soon, then backward sweeps over all states to a fixed point, twice from the last
   * level on for each time from the first, then what they show (see {@link hangs}).
   */
  async #findHangs(): Promise<void> {
    const levels = this.#levels.map((level) => level.ranges)
    // along a chain threads would only wait for what the others are about to find out
    const isChain = this.engine.store.size / levels.length < this.#recipe.tuning.narrow
    const backwards = levels.toReversed().flat()
    // a state whose successors all lie on its level, or before it, is told by the second pass as often as not
    const orders = [backwards, backwards, levels.flat()]
    const sweep = (ranges: readonly Range[], kind: SweepTask['kind'] = 'sweep'): Promise<boolean> =>
      this.sharedTask({ kind, stateMemory: this.#stateMemory, ranges, isChain }, !isChain)
    // wanderers note what they meet under the names that it has where they are
    if (!this.engine.symmetry && !this.engine.persistentSets) await sweep(backwards, 'wander')
    for (let pass = 0; await sweep(orders[pass % orders.length] as readonly Range[]); pass++) if (this.#stopped) return
    if (this.#stopped) return
    for (const finding of hangs(this.engine, this.#options.checks, levels))
      this.engine.expansion.keepFirst(finding, this.#findings)
  }

  #result(): SearchResult {
    const findings = this.#findings.toSorted((a, b) => this.engine.expansion.compare(a, b))
    const { store } = this.engine
    const sum = (
      levels: readonly Level[],
      count: 'states' | 'transitions' | 'endStates' | 'pruned' | 'alone',
    ): number => levels.reduce((total, level) => total + level[count], 0)
    const pruned = sum(this.#levels, 'pruned')
    // what lies beyond a step that could not go on, and that nobody reports, was not looked at
    const reason = this.#stopped ?? (pruned > 0 ? 'check off' : null)
    const stopped = findings.length > 0 && !this.#options.keepGoing ? null : reason
    const isPartial = stopped !== null && stopped !== 'depth' && stopped !== 'check off'
    return {
      findings: this.#options.keepGoing ? findings : findings.slice(0, 1),
      exhaustive: findings.length === 0 && stopped === null,
      stopped: stopped && { reason: stopped, frontier: stopped === 'check off' ? pruned : this.#left },
      states: isPartial ? store.size : sum(this.#levels, 'states'),
      // of a level whose violation ended the search, the steps out of it do not count
      transitions: sum(this.#levels.slice(0, this.#endDepth), 'transitions'),
      depth: this.#levels.length - 1,
      endStates: sum(this.#levels, 'endStates'),
      pruned,
      alone: sum(this.#levels, 'alone'),
      seconds: this.#secondsBefore + this.#seconds(),
      bytes: this.#bytes(),
      bytesPerState: this.#stateBytes() / Math.max(1, store.size),
      effort: this.#pool.effort(),
      cpu: { search: this.#searchCpu, all: cpuSeconds(this.#startedCpu) },
      looped: this.#looped,
      levels: this.#levels.map(({ ranges }) => ranges),
      coverage: new Uint8Array(this.#recipe.coverage),
    }
  }
}

function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1e6
}
