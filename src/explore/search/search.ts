import { release } from './collect.ts'
import { Revival } from './checkpoint/revival.ts'
import type { Checkpoints } from './checkpoint/checkpoints.ts'
import { Engine, type EngineRecipe, engineRecipe, hasSleepSets } from './engine.ts'
import { findingsAtEnd } from './end-checks.ts'
import { findHangs } from './hang-phase.ts'
import { Saving } from './saving.ts'
import { SearchLog } from './search-log.ts'
import type { Progress, SearchOptions, SearchResult } from './search-result.ts'
import type { ExpandResult, ExpandTask, Task, TaskOutcome } from './search-worker.ts'
import { CHUNK, CONTROL, slice } from './search-worker.ts'
import { Stopping } from './stopping.ts'
import { WorkerPool } from './worker-pool.ts'
import type { Level } from './level.ts'
import { type StateMemory, commitTable, enlarged, firstMemory, needOf } from '../store/allocation.ts'
import { MAX_SEGMENTS, type Range, rangesSize, storeBytes } from '../store/store-buffers.ts'
import { STATE_WORD_BYTES } from '../store/state-words.ts'
import { TUNING } from '../store/tuning.ts'
import type { System } from '../state/system.ts'

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
  readonly #stopping: Stopping = new Stopping(this.#control)
  readonly #startedCpu = process.cpuUsage()
  #searchCpu = 0
  readonly #log: SearchLog
  readonly #saving: Saving | null
  readonly #pool: WorkerPool
  #stateMemory: StateMemory
  /** Depth of the violation that ended the search. */
  #endDepth = Infinity
  /** Seconds that the search took before it was taken up again. */
  #secondsBefore = 0

  constructor(system: System, options: SearchOptions) {
    const tuning = { ...TUNING, ...options.tuning }
    const { checks, checkpoints, warn = () => {} } = options
    this.#options = options
    this.#seeksHangs = checks.some(({ hang }) => hang)
    this.#recipe = engineRecipe(
      system,
      options.params,
      options.granularity,
      checks.map(({ name }) => name),
      this.#seeksHangs ? 'settled' : 'off',
      options.reductions,
      tuning,
    )
    this.#hasStateWords = this.#seeksHangs || hasSleepSets(this.#recipe)
    this.engine = new Engine(system, this.#recipe, checks)
    this.#log = new SearchLog(this.engine.expansion)
    this.#stateMemory = firstMemory(this.engine.locals, tuning, options.workers, this.#hasStateWords)
    this.engine.attach(this.#stateMemory)
    const { engine } = this
    const parts = { engine, recipe: this.#recipe, log: this.#log, hasStateWords: this.#seeksHangs, warn }
    this.#saving = checkpoints ? new Saving(checkpoints, parts) : null
    const full = (): void => this.#stopping.stop('memory')
    this.#pool = new WorkerPool(engine, this.#recipe, this.#control, options.workers, full)
  }

  /**
   * Runs the search to its end, a violation, or a bound.
   * @throws Refusal when a step cannot be explored; Error when a worker dies
   */
  async run(): Promise<SearchResult> {
    const timer = this.#stopping.watch(this.#options, () => this.#options.progress(this.#progress()))
    try {
      await this.#learn()
      this.#searchCpu = cpuSeconds(this.#startedCpu)
      if (this.#log.findings.length === 0 || this.#options.keepGoing) await this.#afterwards()
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

  /** Executes a task over the chunks of some ranges, on every worker if it may be shared; what it came to on each. */
  sharedTask(task: Exclude<Task, { kind: 'expand' | 'ready' }>, mayShare = true): Promise<readonly TaskOutcome[]> {
    this.#resetCursor()
    // a trace is wanted also after a bound has ended the search
    if (task.kind === 'mark') Atomics.store(this.#control, CONTROL.abort, 0)
    return this.#pool.run(task, mayShare && rangesSize(task.ranges) >= this.#recipe.tuning.narrow)
  }

  /** Where the states are now. */
  get stateMemory(): StateMemory {
    return this.#stateMemory
  }

  #progress(): Progress {
    const { store } = this.engine
    return {
      states: store.size,
      transitions: this.#log.sum('transitions'),
      depth: Math.max(0, this.#log.depth),
      frontier: this.#log.levels.at(-1)?.states ?? 0,
      bytes: this.#bytes(),
      seconds: this.#stopping.seconds,
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
      const isOver = this.#stopping.reason || (this.#log.findings.length > 0 && !this.#options.keepGoing)
      if (isOver || !persistentSets || persistentSets.knownFacts === known) return
      this.#log.clear()
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
    const { checkpoints, limits, keepGoing } = this.#options
    let frontier = checkpoints?.resumed ? await this.#revive(checkpoints) : this.#begin()
    while (rangesSize(frontier) > 0) {
      await this.#saving?.begin(frontier, this.#stateMemory, this.#secondsBefore + this.#stopping.seconds)
      const isBounded = this.#log.levels.length >= limits.maxDepth
      frontier = await this.#advance(frontier, !isBounded)
      if (this.#stopping.reason) return
      if (isBounded) {
        this.#stopping.left = this.#log.levels.at(-1)?.open ?? 0
        if (this.#stopping.left > 0) this.#stopping.bound()
        return
      }
      if (this.#log.findings.length > 0 && !keepGoing) {
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
    const { coverage, propertyCounts } = this.#recipe
    const revival = new Revival(this.engine, checkpoints, this.#stateMemory, this.#options.workers)
    this.#stateMemory = revival.stateMemory
    const restored = await revival.restore({ coverage, propertyCounts })
    const ranges = this.engine.store.rangesSince(new Int32Array(0))
    await this.sharedTask({ kind: 'rehash', stateMemory: this.#stateMemory, ranges }, false)
    this.#log.restore(restored)
    this.#secondsBefore = restored.seconds
    return [...restored.frontier]
  }

  /** At the end of a search: what was not finished is kept. A checkpoint of what was stays until its report is written. */
  async #keep(): Promise<void> {
    const isDone = !this.#stopping.reason || (this.#log.findings.length > 0 && !this.#options.keepGoing)
    if (!isDone) await this.#saving?.save(this.#stateMemory)
  }

  /**
   * A violation was found in the last level or in a step out of it. In the second case the states of the next level
   * may hold one of the same depth that comes first in canonical order.
   */
  async #settle(next: Range[]): Promise<void> {
    const { depth } = this.#log
    if (this.#log.findings.some((finding) => finding.depth === depth)) {
      this.#endDepth = depth
      return
    }
    this.#endDepth = depth + 1
    if (rangesSize(next) > 0) await this.#advance(next, false)
  }

  /** Processes a level, or when it is narrow several on this thread; returns the states of the next. */
  async #advance(frontier: readonly Range[], expanded: boolean): Promise<Range[]> {
    this.#log.begin(frontier)
    let work = frontier
    let found: Range[] = []
    let knownFacts = this.engine.persistentSets?.knownFacts ?? 0
    while (rangesSize(work) > 0 && (await this.#grow())) {
      const isNarrow = rangesSize(work) < this.#recipe.tuning.narrow
      const isSolo = isNarrow && expanded && work === frontier && !this.#options.keepGoing
      const before = this.engine.store.usage()
      const results = await this.#expand(work, expanded, isNarrow, isSolo, knownFacts)
      knownFacts = results[0]?.knownFacts ?? knownFacts // with isSolo that of a later level
      const processed = isSolo ? (this.#log.levels.at(-1) as Level).ranges : work
      const untaken = slice(processed, Atomics.load(this.#control, CONTROL.cursor) * CHUNK, Infinity)
      work = [...results.flatMap(({ leftover }) => leftover), ...untaken]
      found = isSolo ? [...(results[0]?.next ?? [])] : [...found, ...this.engine.store.rangesSince(before)]
      this.#stopping.left = rangesSize(work) + rangesSize(found)
      if (this.engine.store.size >= this.#options.limits.maxStates && this.#stopping.left > 0)
        this.#stopping.stop('states')
      if (this.#stopping.reason) return []
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
      depth: this.#log.depth,
      expanded,
      maxStates,
      knownFacts,
      solo: isSolo ? { width: this.#recipe.tuning.narrow, maxDepth } : null,
    }
    this.#resetCursor()
    const results = (await (isSolo
      ? this.#pool.once(task)
      : this.#pool.run(task, !isNarrow))) as readonly ExpandResult[]
    this.#log.merge(results)
    return results
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
      this.#stopping.stop('memory')
      return false
    }
    const before = this.#stateMemory
    this.#stateMemory = enlarged(before, need, system.layout)
    if (this.#stateMemory.table !== before.table) {
      await commitTable(this.#stateMemory.table, this.#recipe.tuning.slice, () => this.#stopping.reason !== null)
      if (this.#stopping.reason !== null) {
        this.#stateMemory = before
        return false
      }
    }
    const ranges = store.rangesSince(new Int32Array(0))
    if (need.isWidened) await this.sharedTask({ kind: 'repack', before, stateMemory: this.#stateMemory, ranges })
    // alone: two threads take 0.6 s of wall time for what one does in 0.35 s without exchanges (philosophers, 14)
    else if (need.isTight) await this.sharedTask({ kind: 'rehash', stateMemory: this.#stateMemory, ranges })
    this.engine.attach(this.#stateMemory)
    return !this.#stopping.reason
  }

  /** What only the finished graph tells: who can never move again, and what was never reached. */
  async #afterwards(): Promise<void> {
    if (this.#stopping.reason) return
    if (this.#log.looped && this.#seeksHangs) await findHangs(this.#hangPhase())
    if (this.#stopping.reason) return
    for (const finding of findingsAtEnd(this.engine, this.#options.checks))
      this.#log.keepFirst({ ...finding, depth: this.#log.levels.length, state: 0, step: null })
  }

  #hangPhase(): Parameters<typeof findHangs>[0] {
    return {
      engine: this.engine,
      checks: this.#options.checks,
      log: this.#log,
      narrow: this.#recipe.tuning.narrow,
      isStopped: () => this.#stopping.reason !== null,
      sweep: async (ranges, kind, isChain) =>
        (await this.sharedTask({ kind, stateMemory: this.#stateMemory, ranges, isChain }, !isChain)).includes(true),
    }
  }

  #result(): SearchResult {
    const { store } = this.engine
    const { keepGoing } = this.#options
    const findings = this.#log.inOrder
    const pruned = this.#log.sum('pruned')
    const beyond = this.#log.sum('beyond')
    // what lies beyond a step that could not continue, and that no one reports, was not looked at
    const reason = this.#stopping.reason ?? (pruned > 0 ? 'check off' : null)
    const stopped = findings.length > 0 && !keepGoing ? null : reason
    const isPartial = stopped !== null && stopped !== 'depth' && stopped !== 'check off'
    return {
      findings: keepGoing ? findings : findings.slice(0, 1),
      exhaustive: findings.length === 0 && stopped === null && beyond === 0,
      stopped: stopped && { reason: stopped, frontier: stopped === 'check off' ? pruned : this.#stopping.left },
      states: isPartial ? store.size : this.#log.sum('states'),
      // of a level whose violation ended the search, the steps out of it do not count
      transitions: this.#log.sum('transitions', this.#endDepth),
      depth: this.#log.depth,
      endStates: this.#log.sum('endStates'),
      pruned,
      beyond,
      alone: this.#log.sum('alone'),
      seconds: this.#secondsBefore + this.#stopping.seconds,
      bytes: this.#bytes(),
      bytesPerState: this.#stateBytes() / Math.max(1, store.size),
      effort: this.#pool.effort(),
      cpu: { search: this.#searchCpu, all: cpuSeconds(this.#startedCpu) },
      looped: this.#log.looped,
      levels: this.#log.levels.map(({ ranges }) => ranges),
      coverage: new Uint8Array(this.#recipe.coverage),
    }
  }
}

function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1e6
}
