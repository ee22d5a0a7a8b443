import type { Check, Occasion } from '../../model/check.ts'
import type { Property } from '../../model/property.ts'
import { VIOLATION_KINDS } from '../../model/verdict.ts'
import type { Balance } from '../successors/balance.ts'
import {
  FAULT,
  HELD,
  IDLE,
  INTERRUPTS_OFF,
  LOOPED,
  OUTCOME,
  PLAIN,
  PREEMPTION_OFF,
  SLEEPS,
  STEP,
  leafChoices,
} from '../table/leaf.ts'
import type { LocalStates } from '../state/local-states.ts'
import type { ActorProgress } from '../hangs/progress.ts'
import type { Profile } from '../successors/profile.ts'
import type { PropertyTable } from '../table/property-table.ts'
import type { RaceDetector } from '../successors/race.ts'
import type { PersistentSets } from '../reductions/persistent-sets.ts'
import type { StateWords } from '../store/state-words.ts'
import { compareNumbers, compareStates } from '../state/state-order.ts'
import type { SleepSets } from '../reductions/sleep-sets.ts'
import type { StateStore } from '../store/state-store.ts'
import type { PropertyCounts, StoredStateView } from '../successors/state-view.ts'
import type { StepTable } from '../table/step-table.ts'
import { HAS, type Successors } from '../successors/successors.ts'
import type { System } from '../state/system.ts'
import { type LocatedFinding, type Counts, newCounts } from '../successors/findings.ts'

/** Occasions as bits. */
const OCCASION: Readonly<Record<Occasion, number>> = {
  initial: 1,
  terminal: 2,
  'wait-cycle': 4,
  rest: 8,
  broken: 16,
  race: 32,
  sleep: 64,
  leftover: 128,
}

/** What an {@link Expansion} works with. */
export interface ExpansionParts {
  readonly system: System
  readonly table: StepTable
  readonly properties: PropertyTable
  readonly store: StateStore
  readonly locals: LocalStates
  readonly successors: Successors
  readonly races: RaceDetector
  readonly view: StoredStateView
  readonly propertyCounts: PropertyCounts
  readonly balance: Balance
  readonly checks: readonly Check[]
  readonly profile: Profile
  readonly stateWords: StateWords
  /** Partial-order reduction; null when it is off. */
  readonly persistentSets: PersistentSets | null
  /** Null when every successor is built. */
  readonly sleep: SleepSets | null
  /** Tells which actors can move in a state; null when no one asks. */
  readonly progress: ActorProgress | null
}

/** Checks states and takes every step out of them: the one place where the search meets the model. */
export class Expansion {
  readonly #with: ExpansionParts
  readonly #mustFinish: readonly number[]
  /** Properties evaluated in every state, with their places in the machine's list. */
  readonly #evaluated: readonly { readonly property: Property; readonly index: number }[]
  readonly #checksRaces: boolean
  readonly #seesRest: boolean
  /** Checks with the occasions on which they want to see a state, as bits; and all of them together. */
  readonly #checks: readonly { readonly check: Check; readonly wants: number }[]
  readonly #wanted: number

  constructor(parts: ExpansionParts) {
    this.#with = parts
    const { system, checks } = parts
    this.#mustFinish = system.actors.filter(({ mustFinish }) => mustFinish).map(({ id }) => id)
    const forms = new Set(checks.flatMap(({ evaluates }) => evaluates ?? []))
    this.#evaluated = system.machine.properties
      .map((property, index) => ({ property, index }))
      .filter(({ property }) => forms.has(property.form))
    const has = (form: Check['needs']): boolean =>
      form === undefined || system.machine.properties.some((property) => property.form === form)
    this.#checks = checks
      .filter(({ needs }) => has(needs))
      .map((check) => ({
        check,
        wants: (check.occasions ?? []).reduce((bits, occasion) => bits | OCCASION[occasion], 0),
      }))
    this.#wanted = this.#checks.reduce((bits, { wants }) => bits | wants, 0)
    this.#seesRest = (this.#wanted & OCCASION.rest) !== 0
    this.#checksRaces = checks.some(({ occasions }) => occasions?.includes('race'))
  }

  /**
   * Checks stored states (at most a group) and, when `isExpanded`, stores their successors. Counts only when through:
   * an error of room leaves the counts as they were, and the states may be processed again.
   *
   * @throws StoreFullError, PackingFullError
   */
  process(from: number, to: number, depth: number, isExpanded: boolean, counts: Counts): void {
    const { successors, store, profile, sleep } = this.#with
    profile.start()
    successors.load(from, to)
    successors.walk()
    profile.end('walk')
    profile.asked += successors.steps.count
    const done = newCounts()
    if (isExpanded) this.#select(done)
    successors.survey()
    profile.end('check')
    if (isExpanded) {
      sleep?.load(from)
      successors.build()
      profile.built += successors.batch.count
      profile.end('build')
      store.insertAll(successors.batch)
      sleep?.note()
      profile.end('probe')
      done.transitions = successors.transitions
    }
    this.#note(from)
    for (let i = 0; i < successors.count; i++) this.#look(i, from + i, depth, isExpanded, done)
    profile.end('check')
    counts.transitions += done.transitions
    counts.endStates += done.endStates
    counts.open += done.open
    counts.looped ||= done.looped
    counts.pruned += done.pruned
    counts.beyond += done.beyond
    counts.alone += done.alone
    for (const finding of done.findings) this.keepFirst(finding, counts.findings)
  }

  /** Checks a state that is not stored; `isInitial` if it is the initial one. */
  examine(words: Int32Array, isInitial: boolean): readonly LocatedFinding[] {
    const { successors } = this.#with
    successors.clear()
    successors.states.set(words)
    successors.count = 1
    successors.walk()
    successors.survey()
    const found = newCounts()
    this.#look(0, 0, isInitial ? 0 : 1, false, found)
    return found.findings.toSorted((a, b) => this.compare(a, b))
  }

  /** Keeps the first finding of each kind and property in canonical order. */
  keepFirst(finding: LocatedFinding, findings: LocatedFinding[]): void {
    const at = findings.findIndex(({ kind, property }) => kind === finding.kind && property === finding.property)
    if (at < 0) findings.push(finding)
    else if (this.compare(finding, findings[at] as LocatedFinding) < 0) findings[at] = finding
  }

  /** Canonical order: depth, kind, property, contents of the state, step. Independent of numbers given in passing. */
  compare(a: LocatedFinding, b: LocatedFinding): number {
    const { store, locals, system } = this.#with
    return (
      a.depth - b.depth ||
      VIOLATION_KINDS.indexOf(a.kind) - VIOLATION_KINDS.indexOf(b.kind) ||
      compareTexts(a.property, b.property) ||
      (a.state === b.state ? 0 : compareStates(system.layout, locals, store.at(a.state), store.at(b.state))) ||
      (a.step?.actor ?? -1) - (b.step?.actor ?? -1) ||
      compareNumbers(a.step?.choices ?? [], b.step?.choices ?? []) ||
      compareTexts(a.message, b.message)
    )
  }

  /** Finds the states out of which one actor's steps are enough. */
  #select(counts: Counts): void {
    const { persistentSets, successors } = this.#with
    if (!persistentSets) return
    for (let i = 0; i < successors.count; i++) {
      const only = persistentSets.select(successors.state(i), successors.steps, i)
      successors.only[i] = only
      if (only >= 0) counts.alone++
    }
  }

  /** Notes which actors can move in the group's states, for the hang check. */
  #note(from: number): void {
    const { successors, progress, stateWords } = this.#with
    if (progress) for (let i = 0; i < successors.count; i++) stateWords.set(from + i, progress.bits(i))
  }

  /** Checks one state of the group. */
  #look(i: number, index: number, depth: number, isExpanded: boolean, counts: Counts): void {
    const { successors, system } = this.#with
    const fact = successors.facts[i] as number
    if (isExpanded && (fact & LOOPED) !== 0) counts.looped = true
    if (isExpanded && (fact & (HAS << FAULT)) !== 0) this.#faults(i, index, depth, counts)
    if (successors.beyond[i] === 1) return this.#lookBeyond(i, index, depth, counts)
    let occasions = this.#occasions(i, fact)
    if (depth === 0) occasions |= OCCASION.initial
    if ((fact & ((HAS << STEP) | (HAS << FAULT))) !== 0) counts.open++
    else {
      occasions |= OCCASION.terminal
      if (system.actors.every(({ id }) => successors.hasFinished(i, id))) counts.endStates++
    }
    if (occasions !== 0) this.#call(occasions, i, index, depth, counts)
  }

  /** Checks a state beyond what the model says is to be explored: only what is evaluated in every state. */
  #lookBeyond(i: number, index: number, depth: number, counts: Counts): void {
    counts.beyond++
    const isBroken = this.#evaluated.length > 0 && this.#breaks(i)
    const occasions = (isBroken ? OCCASION.broken : 0) | (depth === 0 ? OCCASION.initial : 0)
    if (occasions !== 0) this.#call(occasions, i, index, depth, counts)
  }

  /** What makes a state worth a look, its place and whether anything can move apart. */
  #occasions(i: number, fact: number): number {
    let found = 0
    if ((fact & HELD) !== 0 && this.#with.successors.mayHaveWaitCycle(i)) found |= OCCASION['wait-cycle']
    if (this.#evaluated.length > 0 && this.#breaks(i)) found |= OCCASION.broken
    if (this.#seesRest && this.#isAtRest(i)) found |= OCCASION.rest
    if ((fact & SLEEPS) !== 0 && this.#mayNotSleep(i)) found |= OCCASION.sleep
    if (this.#with.balance.seesEnds && this.#leavesSomething(i)) found |= OCCASION.leftover
    if (this.#checksRaces && ((fact & PLAIN) !== 0 || this.#with.races.shares) && this.#mayRace(i))
      found |= OCCASION.race
    return found
  }

  #mayRace(i: number): boolean {
    const { races, successors } = this.#with
    return races.mayRace(successors.state(i), successors.steps, i)
  }

  /** Whether a property that is evaluated in every state does not hold in this one. */
  #breaks(i: number): boolean {
    const { properties, successors, view, propertyCounts } = this.#with
    const state = successors.state(i)
    let isBroken = false
    for (const { property, index } of this.#evaluated) {
      if (property.form === 'sometimes' && propertyCounts.met(property)) continue
      if (
        !properties.holds(index, state, property, (words) => view.evaluateIn(words, property) === true) &&
        property.form !== 'sometimes'
      )
        isBroken = true
    }
    return isBroken
  }

  /** Whether all who must finish have, and nothing that the others can do, endless ones apart, changes anything. */
  #isAtRest(i: number): boolean {
    const { successors, system, table } = this.#with
    for (const actor of this.#mustFinish) if (!successors.hasFinished(i, actor)) return false
    for (const { id, endless } of system.actors) {
      if (endless) continue
      for (const leaf of successors.steps.of(id, i)) {
        const head = table.words[leaf] as number
        if ((head & OUTCOME) === FAULT) return false
        if ((head & (OUTCOME | IDLE)) === STEP && !successors.staysAt(i, id, leaf)) return false
      }
    }
    return true
  }

  /** Whether some actor is about to do what may sleep where it must not. */
  #mayNotSleep(i: number): boolean {
    const { successors, system, table, balance } = this.#with
    const state = successors.state(i)
    return system.actors.some((actor) => {
      let all = 0
      for (const leaf of successors.steps.of(actor.id, i)) all |= table.words[leaf] as number
      return (all & SLEEPS) !== 0 && ((all & (INTERRUPTS_OFF | PREEMPTION_OFF)) !== 0 || balance.isAtomic(actor, state))
    })
  }

  /** Whether some actor has ended, or a handler is not running, and holds something. */
  #leavesSomething(i: number): boolean {
    const { successors, system, balance } = this.#with
    const state = successors.state(i)
    return system.actors.some(
      (actor) => (actor.kind === 'handler' || successors.hasFinished(i, actor.id)) && balance.isLeft(actor, state),
    )
  }

  #call(occasions: number, i: number, index: number, depth: number, counts: Counts): void {
    const { successors, view } = this.#with
    if ((occasions & this.#wanted) === 0) return
    view.show(successors.state(i), successors.steps, i, depth === 0)
    for (const { check, wants } of this.#checks) {
      if ((occasions & wants) === 0) continue
      for (const finding of check.state?.(view) ?? [])
        this.keepFirst({ ...finding, depth, state: index, step: null }, counts.findings)
    }
  }

  /** Adds what the faults of a state's steps are to the checks, and counts those that none of them looks for. */
  #faults(i: number, index: number, depth: number, counts: Counts): void {
    const { system, successors, table, checks } = this.#with
    for (const actor of system.actors) {
      for (const leaf of successors.steps.of(actor.id, i)) {
        if (((table.words[leaf] as number) & OUTCOME) !== FAULT) continue
        const fault = table.fault(actor.id, successors.state(i), leaf)
        const findings = checks.flatMap((check) => check.fault?.(fault) ?? [])
        if (findings.length === 0) counts.pruned++
        const step = { actor: actor.id, choices: leafChoices(table.words, leaf) }
        for (const finding of findings)
          this.keepFirst({ ...finding, depth: depth + 1, state: index, step }, counts.findings)
      }
    }
  }
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
