import type { Actor, Cpu } from '../model/actor.ts'
import { cpuOf } from '../semantics/dispatch.ts'
import { isOwn } from '../source/places.ts'
import { SEES, changes, named } from '../trace/narration.ts'
import type { ScheduledStep } from '../trace/schedule.ts'
import type { RacingAccess, TraceStep } from '../trace/trace.ts'
import { type ScheduleState, Turns } from '../trace/turns.ts'
import { COMMAND } from './memory/buffers.ts'
import type { TakenStep, Wait } from './driver.ts'
import type { CpuMessage } from './live-cpu.ts'
import type { LiveMachine } from './live-machine.ts'
import { type LiveState, LiveView } from './live-view.ts'
import type { Fault } from '../model/memory.ts'
import { within } from './memory/snapshot-port.ts'

/** The live CPUs cannot continue as they are told to. */
export class CannotFollow extends Error {
  override readonly name = 'CannotFollow'
}

/** A thread ended while it was needed. */
export class ThreadDied extends Error {
  override readonly name = 'ThreadDied'
}

/** What an actor that continues freely comes to: it sleeps in an operation, or stands right before an access. */
export type Halt =
  | { readonly at: 'wait'; readonly wait: Wait | null }
  | { readonly at: 'access'; readonly isWrite: boolean }

/** Drives the actors of a live machine through schedules, one step at a time, and tells what they did. */
export class Replay implements ScheduleState {
  readonly #live: LiveMachine
  readonly #signal: AbortSignal
  readonly #finished = new Set<number>()
  readonly #waits = new Map<number, Wait>()
  #turns: Turns
  #fault: Fault | null = null
  /** Actors whose last step ended in one. */
  readonly #failed = new Set<number>()
  #steps = 0

  constructor(live: LiveMachine, signal: AbortSignal) {
    this.#live = live
    this.#signal = signal
    this.#turns = new Turns(live.machine.actors, this)
  }

  /** Waits until the threads are there. */
  async ready(): Promise<void> {
    for (const { id } of this.#actors) await this.#await('ready', id)
  }

  /** Begins again, from the initial state. */
  async begin(): Promise<void> {
    this.#finished.clear()
    this.#fault = null
    this.#failed.clear()
    this.#steps = 0
    this.#turns = new Turns(this.#actors, this)
    this.#live.beginRound()
    for (const { id } of this.#actors) await this.#arrival(id)
    await this.#lookAround()
  }

  /** Leaves the programs where they stand. */
  async end(): Promise<void> {
    this.#live.roster.callOver()
    for (const { id } of this.#actors) if (!this.#hasEnded(id)) await this.#await('abandoned', id)
  }

  /**
   * Has an actor take one step; its thread knows the alternatives to take, and `choices` are those expected, if any are.
   * @throws CannotFollow when it cannot
   */
  async step({
    actor,
    choices,
  }: Pick<ScheduledStep, 'actor'> & { readonly choices: readonly number[] | null }): Promise<TraceStep> {
    const { machine, roster } = this.#live
    const who = this.#actors[actor]
    if (!who) throw new CannotFollow(`there is no actor ${actor}`)
    if (this.isFinished(who)) throw new CannotFollow(`${who.title} has finished`)
    this.#steps++
    this.#turns.before(actor)
    const before = this.values
    roster.command(actor, COMMAND.step)
    const taken = await this.#taken(who)
    if (taken.fault) await this.#await('fault', actor)
    else await this.#arrival(actor)
    this.#fault = taken.fault
    if (taken.fault) this.#failed.add(actor)
    if (choices && String(taken.choices) !== String(choices))
      throw new CannotFollow(`${who.title} makes the choices [${String(taken.choices)}] and not [${String(choices)}]`)
    const after = taken.fault ? before : this.values
    await this.#lookAround()
    return {
      actor,
      ...this.#turns.after(actor),
      events: named(taken.events, before, after, machine.memory),
      changes: changes(before, after, machine.memory),
    }
  }

  /** The fault that the last step ended in. */
  get fault(): Fault | null {
    return this.#fault
  }

  /** Has actors continue freely, all at once, until each sleeps in an operation or stands before an access to the field of the race. */
  async free(actors: readonly number[]): Promise<Map<number, Halt>> {
    for (const actor of actors) this.#live.roster.command(actor, COMMAND.free)
    const halts = new Map<number, Halt>()
    for (const actor of actors) {
      const message = await this.#from(actor, ['blocked', 'access', 'finished', 'fault'])
      if (message.tells === 'blocked') halts.set(actor, { at: 'wait', wait: message.wait })
      else if (message.tells === 'access') halts.set(actor, { at: 'access', isWrite: message.isWrite })
      else (message.tells === 'fault' ? this.#failed : this.#finished).add(actor)
    }
    return halts
  }

  /** Raw values by field id, as they are now. */
  get values(): Int32Array {
    return this.#live.fields.values.slice(0, this.#live.machine.memory.fields.length)
  }

  /** The state as checks see it. */
  get view(): LiveView {
    const state: LiveState = {
      values: this.values,
      finished: this.#finished,
      waits: this.#waits,
      isInitial: this.#steps === 0,
    }
    return new LiveView(this.#live.machine, state)
  }

  /** What an unfinished actor stands before; undefined before plain accesses. */
  waitOf(actor: Actor): Wait | undefined {
    return this.#waits.get(actor.id)
  }

  isFinished(actor: Actor): boolean {
    return this.#finished.has(actor.id)
  }

  isBlocked(actor: Actor): boolean {
    return !this.isFinished(actor) && (this.#waits.get(actor.id)?.isBlocked ?? false)
  }

  placed(): ReadonlyMap<Actor, Cpu> {
    const { memory } = this.#live.machine
    const { values } = this
    const pairs = this.#actors.map((actor) => [actor, within(memory, values, () => cpuOf(actor))] as const)
    return new Map(pairs.filter((pair): pair is readonly [Actor, Cpu] => pair[1] !== null))
  }

  get #actors(): readonly Actor[] {
    return this.#live.machine.actors
  }

  /** Whether an actor's program runs no more. */
  #hasEnded(actor: number): boolean {
    return this.#finished.has(actor) || this.#failed.has(actor)
  }

  async #taken(actor: Actor): Promise<TakenStep> {
    const message = await this.#from(actor.id, ['step', 'blocked'])
    if (message.tells === 'step') return message.step
    const wait = message.tells === 'blocked' ? message.wait : null
    throw new CannotFollow(`${actor.title} is blocked${wait ? `: ${`${wait.operation} ${wait.target}`.trim()}` : ''}`)
  }

  /** An actor comes to a point, or to its end. */
  async #arrival(actor: number): Promise<void> {
    const { tells } = await this.#from(actor, ['point', 'finished'])
    if (tells === 'finished') this.#finished.add(actor)
  }

  /** Asks every actor at a point for its next operation. */
  async #lookAround(): Promise<void> {
    this.#waits.clear()
    for (const { id } of this.#actors) {
      if (this.#hasEnded(id)) continue
      this.#live.roster.command(id, COMMAND.look)
      const message = await this.#await('look', id)
      if (message.tells === 'look' && message.wait) this.#waits.set(id, message.wait)
    }
  }

  #await(tells: CpuMessage['tells'], actor: number): Promise<CpuMessage> {
    return this.#from(actor, [tells])
  }

  async #from(actor: number, kinds: readonly CpuMessage['tells'][]): Promise<CpuMessage> {
    const message = await this.#live.next(
      this.#signal,
      (one) => one.tells === 'died' || (one.from === actor && kinds.includes(one.tells)),
    )
    if (!message) throw new Interrupted()
    if (message.tells === 'died') throw new ThreadDied(this.#live.deathOf(message))
    return message
  }
}

/** The replay was interrupted. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** Where a live step differs from one told before, in words; null where it does not. Places are compared in the model's own files. */
export function difference(expected: TraceStep, actual: TraceStep): string | null {
  const show = ({ operation, target, detail }: TraceStep['events'][number]): string =>
    `${operation} ${target}${detail === '' ? '' : ` (${detail})`}`.trim()
  // plain reads follow from the rest, and older reports do not tell them
  const toldOf = ({ events }: TraceStep): TraceStep['events'] => events.filter(({ operation }) => operation !== SEES)
  const [tolds, seens] = [toldOf(expected), toldOf(actual)]
  for (let i = 0; i < Math.max(tolds.length, seens.length); i++) {
    const [told, seen] = [tolds[i], seens[i]]
    if (!told || !seen)
      return told ? `missing ${show(told)}` : `unexpected ${show(seen as TraceStep['events'][number])}`
    if (show(told) !== show(seen)) return `expected ${show(told)}, got ${show(seen)}`
    const isTold = isOwn(told.at) && seen.at
    if (String(told.function) !== String(seen.function))
      return `${show(told)}: expected in ${told.function.join(' › ')}, got it in ${seen.function.join(' › ')}`
    if (isTold && (told.at?.file !== seen.at?.file || told.at?.line !== seen.at?.line))
      return `${show(told)}: expected at ${told.at?.file}:${told.at?.line}, got it at ${seen.at?.file}:${seen.at?.line}`
  }
  if (JSON.stringify(expected.changes) !== JSON.stringify(actual.changes)) {
    const text = (list: TraceStep['changes']): string =>
      list.map(({ field, from, to }) => `${field} ${JSON.stringify(from)} → ${JSON.stringify(to)}`).join(', ') ||
      'nothing'
    return `expected changes ${text(expected.changes)}, got ${text(actual.changes)}`
  }
  if (expected.why !== actual.why || expected.because !== actual.because)
    return `expected ${expected.why}${expected.because === '' ? '' : ` (${expected.because})`}, got ${actual.why}${actual.because === '' ? '' : ` (${actual.because})`}`
  return null
}

/** Where the accesses of a race that actors stand before differ from those told; null where they do not. */
export function raceDifference(
  expected: readonly RacingAccess[],
  halts: ReadonlyMap<number, Halt>,
  actors: readonly Actor[],
): string | null {
  for (const { actor, access, field } of expected) {
    const halt = halts.get(actor)
    const title = actors[actor]?.title ?? `actor ${actor}`
    if (halt?.at !== 'access') return `${title} does not come to its ${access} of ${field}`
    if (halt.isWrite !== (access === 'write'))
      return `${title} ${halt.isWrite ? 'writes' : 'reads'} ${field}, and should ${access} it`
  }
  return null
}
