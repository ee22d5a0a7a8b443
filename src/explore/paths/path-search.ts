import { Refusal } from '../../source/refusal.ts'
import type { Finding } from '../../model/check.ts'
import { sharesCpu } from '../../semantics/dispatch.ts'
import type { Engine } from '../search/engine.ts'
import { FAULT, LEAF, LOOPED, OUTCOME } from '../table/leaf.ts'
import { findingsAtEnd } from '../search/end-checks.ts'
import { release } from '../search/collect.ts'
import type { StopReason } from '../../model/verdict.ts'
import type { Progress } from '../search/search-result.ts'
import type { System } from '../state/system.ts'
import { pathEngine } from './path-engine.ts'
import { Moves } from './moves.ts'
import { PathRaces } from './path-races.ts'
import type { PathFinding, PathResult, PathSearchOptions } from './path-result.ts'
import type { Move, Position } from './strategy.ts'
import { Uninterrupted } from './uninterrupted.ts'

/** Steps after which an execution of a program that must end is taken not to. */
const MAX_STEPS_OF_ENDING = 10_000
/** Steps of any execution at most. */
const MAX_STEPS = 100_000
/** Bytes that a state takes in the sets of those met, apart from its words. */
const STATE_BYTES = 160

/** A position with what the search needs of it. */
interface Place extends Position {
  readonly key: string
  readonly preemptions: number
  /** Mask of the actors whose last step has failed; the others may continue. */
  readonly failed: number
}

/** Follows one execution after another, as a strategy says, and checks every state on the way. */
export class PathSearch {
  readonly engine: Engine
  readonly #options: PathSearchOptions
  readonly #races: PathRaces | null
  readonly #started = performance.now()
  readonly #places: Place[] = []
  readonly #moves: Move[] = []
  /** States met. */
  readonly #states = new Set<string>()
  /** The same with who was running and how many preemptions there had been, where that makes a difference. */
  readonly #visits = new Set<string>()
  readonly #findings: PathFinding[] = []
  readonly #counts = { transitions: 0, executions: 0, depth: 0, endStates: 0, pruned: 0, beyond: 0 }
  readonly #coverage: Uint8Array
  readonly #possible: Moves
  readonly #uninterrupted: Uninterrupted | null
  /** An execution was ended by the bound on depth, a step left out for that on preemptions. */
  #isCut = false
  #isBound = false
  #looped = false
  #paused = performance.now()
  #stopped: StopReason | null = null

  constructor(system: System, options: PathSearchOptions) {
    this.#options = options
    const { params, granularity, checks } = options
    this.engine = pathEngine(system, params, granularity, checks, options.localCapacity)
    this.#uninterrupted = options.uninterrupted ? new Uninterrupted(options.uninterrupted, this.engine) : null
    this.#coverage = system.runtime.coverage
    this.#races = checks.some(({ occasions }) => occasions?.includes('race')) ? new PathRaces(this.engine) : null
    const ordersWrites = system.machine.properties.some(
      ({ form }) => form === 'always' && checks.some(({ evaluates }) => evaluates?.includes(form)),
    )
    this.#possible = new Moves(this.engine, { isStateless: options.isStateless, ordersWrites })
  }

  /**
   * Runs the search to its end, a violation, or a bound.
   * @throws Refusal when a step cannot be explored, or the strategy cannot explore such a program
   */
  async run(): Promise<PathResult> {
    const { strategy, isStateless } = this.#options
    const { actors } = this.engine.system
    if (isStateless && actors.some(({ endless }) => endless)) throw endless()
    if (isStateless && actors.some(sharesCpu))
      throw new Refusal(
        'dpor is not for threads that share a CPU, whose turns it would have to wait for: use --strategy bfs or dfs',
        null,
      )
    if (isStateless && this.engine.successors.bound !== null)
      throw new Refusal('dpor cannot keep to m.within: use --strategy bfs or dfs', null)
    let hasEnded = false
    while (!this.#isOver()) {
      const depth = strategy.begin()
      hasEnded = depth < 0
      if (hasEnded) break
      await this.#follow(depth)
      await this.#pause()
    }
    const isThrough = hasEnded && strategy.outcome === 'all' && !this.#isCut && !this.#isBound
    if (isThrough && (this.#findings.length === 0 || this.#options.keepGoing)) this.#afterwards()
    release()
    return this.#result(isThrough)
  }

  /** From time to time others get the thread: signals, progress. */
  async #pause(): Promise<void> {
    if (performance.now() - this.#paused < 50) return
    this.#options.progress(this.#progress())
    await new Promise((resume) => setImmediate(resume))
    this.#paused = performance.now()
  }

  /** One execution, from the position of the last one at some depth on. */
  async #follow(depth: number): Promise<void> {
    const { strategy, limits, isStateless } = this.#options
    this.#places.length = Math.min(this.#places.length, depth + 1)
    this.#moves.length = depth
    this.#races?.truncate(depth)
    if (this.#places.length === 0) this.#enter(this.engine.initialState(), { last: -1, preemptions: 0, failed: 0 })
    let isComplete = false
    while (!this.#isOver()) {
      const place = this.#places.at(-1) as Place
      isComplete = place.moves.length === 0
      if (isComplete) this.#racesOfBlocked(place)
      if (isComplete) break
      if (isStateless && this.#moves.length >= MAX_STEPS_OF_ENDING) throw endless()
      const isTooLong = this.#moves.length >= Math.min(limits.maxDepth, MAX_STEPS)
      this.#isCut ||= isTooLong
      const move = isTooLong ? null : strategy.next(place)
      if (move === null) break
      isComplete = !this.#take(place, move)
      if (isComplete) break
      await this.#pause()
    }
    if (isComplete) this.#counts.executions++
    strategy.end(
      { positions: this.#places, moves: this.#moves, isComplete },
      { movesAfter: (from, moves, actor) => this.#possible.after(from, moves, actor) },
    )
  }

  /** Takes a step; false when it ends in a fault. */
  #take(place: Place, move: Move): boolean {
    const { successors, table } = this.engine
    const leaf = this.#possible.leaf(place.words, move)
    const head = table.words[leaf] as number
    this.#counts.transitions++
    this.#moves.push(move)
    this.#counts.depth = Math.max(this.#counts.depth, this.#moves.length)
    this.#looped ||= (head & LOOPED) !== 0
    if ((head & OUTCOME) === FAULT) {
      const fault = table.fault(move.actor, place.words, leaf)
      const found = this.#options.checks.flatMap((check) => check.fault?.(fault) ?? [])
      if (found.length === 0) this.#counts.pruned++
      for (const finding of found) this.#find(finding, this.#moves)
      // a strategy that takes steps in one order only has to see what others do all the same
      if (!this.#options.isStateless) return false
      const failed = place.failed | (1 << move.actor)
      const isOther = ({ actor }: Move): boolean => actor !== move.actor
      this.#places.push({
        ...place,
        depth: this.#moves.length,
        moves: place.moves.filter(isOther),
        blocked: place.blocked.filter(isOther),
        last: -1,
        failed,
      })
      this.#races?.push(move, table.words[leaf + LEAF.footprint] as number, () => {}, [])
      return true
    }
    const next = place.words.slice()
    successors.apply(leaf, move.actor, next)
    this.#addToRaces(move, leaf)
    const isPreemption =
      place.last >= 0 && move.actor !== place.last && place.moves.some(({ actor }) => actor === place.last)
    this.#enter(next, {
      last: move.actor,
      preemptions: place.preemptions + (isPreemption ? 1 : 0),
      failed: place.failed,
    })
    return true
  }

  /** Races of attempts that stay blocked to the end: what their guards read, others may have touched plainly at any time. */
  #racesOfBlocked({ words, blocked }: Place): void {
    const { successors } = this.engine
    if (!this.#races || blocked.length === 0) return
    const steps = successors.stepsOf(words)
    for (const move of blocked) {
      const [leaf] = steps.of(move.actor)
      if (leaf !== undefined) this.#addToRaces(move, leaf)
      this.#races.truncate(this.#moves.length)
    }
  }

  #addToRaces(move: Move, leaf: number): void {
    this.#races?.push(
      move,
      this.engine.table.words[leaf + LEAF.footprint] as number,
      (finding, before) => this.#isKnown(finding) || this.#find(finding, this.#toRace(before())),
      this.#options.checks,
    )
  }

  /** The steps to a state in which both accesses of a race come next, where the race has not changed what can be done on the way there. */
  #toRace(before: readonly number[]): readonly Move[] {
    const moves = before.map((event) => this.#moves[event] as Move)
    try {
      this.#possible.after(this.#places[0] as Place, moves, 0)
      return moves
    } catch (error) {
      if (error instanceof Refusal) return this.#moves.slice(0, -1)
      throw error
    }
  }

  /** Comes to a state: checks it unless it was met before, and finds out what can be done there. */
  #enter(words: Int32Array, { last, preemptions, failed }: Pick<Place, 'last' | 'preemptions' | 'failed'>): void {
    const { isStateless, preemptions: most } = this.#options
    const key = String.fromCharCode(...new Uint16Array(words.buffer, words.byteOffset, words.length * 2))
    if (isStateless && this.#places.some((place) => place.key === key)) throw endless()
    const { moves: all, blocked } = this.#possible.of(words)
    const moves = all.filter(({ actor }) => ((failed >> actor) & 1) === 0)
    if (!this.#states.has(key)) {
      this.#states.add(key)
      for (const finding of this.engine.expansion.examine(words, this.#moves.length === 0))
        this.#find(finding, this.#moves)
      if (this.engine.successors.isBeyond(words)) this.#counts.beyond++
      else if (all.length === 0 && blocked.length === 0) this.#counts.endStates++
    }
    const mine = moves.filter(({ actor }) => actor === last)
    const isSwitch = mine.length > 0 && mine.length < moves.length
    const isBound = isSwitch && preemptions >= most
    this.#isBound ||= isBound
    const isLimited = isBound || (isSwitch && this.#uninterrupted?.holds(last, words) === true)
    const visit =
      most === Infinity && !this.#uninterrupted ? key : `${key}|${last}|${most === Infinity ? 0 : preemptions}`
    this.#places.push({
      depth: this.#moves.length,
      words,
      moves: isLimited ? mine : moves,
      isLimited,
      blocked,
      isKnown: this.#visits.has(visit),
      last,
      key,
      preemptions,
      failed,
    })
    this.#visits.add(visit)
  }

  #isKnown({ kind, property }: Finding): boolean {
    return this.#findings.some(({ finding }) => finding.kind === kind && finding.property === property)
  }

  #find(finding: Finding, moves: readonly Move[]): void {
    if (this.#isKnown(finding)) return
    this.#findings.push({ finding, schedule: moves.map(({ actor, choices }) => ({ actor, choices })) })
  }

  /** Whether the search ends here: something was found, or a bound reached. */
  #isOver(): boolean {
    const { limits, signal, keepGoing } = this.#options
    if (signal.aborted) this.#stopped ??= 'interrupt'
    else if (this.#seconds() >= limits.time) this.#stopped ??= 'time'
    else if (this.#states.size >= limits.maxStates) this.#stopped ??= 'states'
    else if (this.#bytes() > limits.memory) this.#stopped ??= 'memory'
    return this.#stopped !== null || (this.#findings.length > 0 && !keepGoing)
  }

  #seconds(): number {
    return (performance.now() - this.#started) / 1000
  }

  #bytes(): number {
    return this.#states.size * (this.engine.store.words * 4 + STATE_BYTES) + this.engine.bytes
  }

  #progress(): Progress {
    const { transitions, depth } = this.#counts
    return {
      states: this.#states.size,
      transitions,
      depth,
      frontier: this.#places.length,
      bytes: this.#bytes(),
      seconds: this.#seconds(),
    }
  }

  /** What only the whole of it tells: what was never reached. */
  #afterwards(): void {
    for (const finding of findingsAtEnd(this.engine, this.#options.checks)) this.#find(finding, [])
  }

  #result(isThrough: boolean): PathResult {
    const { strategy } = this.#options
    const reason =
      this.#stopped ??
      (this.#isCut
        ? 'depth'
        : this.#isBound
          ? 'preemptions'
          : strategy.outcome === 'runs'
            ? 'runs'
            : this.#counts.pruned > 0
              ? 'check off'
              : null)
    return {
      findings: this.#findings,
      exhaustive: isThrough && this.#findings.length === 0 && this.#counts.pruned === 0 && this.#counts.beyond === 0,
      stopped:
        (this.#findings.length > 0 && !this.#options.keepGoing) || reason === null ? null : { reason, frontier: 0 },
      states: this.#states.size,
      ...this.#counts,
      looped: this.#looped,
      seconds: this.#seconds(),
      bytes: this.#bytes(),
      bytesPerState: this.engine.store.words * 4 + STATE_BYTES,
      notes: strategy.notes(),
      coverage: this.#coverage,
    }
  }
}

function endless(): Refusal {
  return new Refusal(
    'dpor is for programs that end: this one has executions that never end; use --strategy bfs, dfs, random or pct',
    null,
  )
}
