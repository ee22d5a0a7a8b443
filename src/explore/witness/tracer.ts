import type { Activation } from '../../runtime/activation.ts'
import type { SourcePlace } from '../../source/refusal.ts'
import { isOwn } from '../../source/places.ts'
import type { Actor, Cpu } from '../../model/actor.ts'
import type { Field } from '../../model/field.ts'
import { Narration, type Whereabouts, changes, named } from '../../trace/narration.ts'
import type { ScheduledStep } from '../../trace/schedule.ts'
import type { RacingAccess, TraceStep, Waiting } from '../../trace/trace.ts'
import { type ScheduleState, Turns } from '../../trace/turns.ts'
import type { Engine } from '../search/engine.ts'
import type { StepRecord } from '../step/step-record.ts'
import { nextScript } from '../step/step-record.ts'
import { cpuOf } from '../../semantics/dispatch.ts'
import { readCell, writeCell } from '../state/layout.ts'
import { type Standpoint, standpoint } from '../paths/uninterrupted.ts'

/** A schedule that is not the explorer's own has a step that cannot be taken. */
export class CannotStep extends Error {
  override readonly name = 'CannotStep'
}

/** A step before which another actor could have continued. */
export interface PreemptionPoint extends Standpoint {
  /** Number of the step, from 1. */
  readonly step: number
  /** Who is preempted. */
  readonly actor: number
}

/** Executes a schedule again, step by step, and tells what happened in kernel terms. */
export class Tracer implements ScheduleState {
  readonly #engine: Engine
  #words: Int32Array
  #narration = new Narration()

  constructor(engine: Engine) {
    this.#engine = engine
    this.#words = engine.initialState()
  }

  /** The steps of a schedule, from the initial state. The last may be one that ends in a fault. */
  trace(schedule: readonly ScheduledStep[]): TraceStep[] {
    const turns = new Turns(this.#engine.system.actors, this)
    return schedule.map(({ actor, choices }) => {
      turns.before(actor)
      const { isFault, ...done } = this.#step(actor, choices)
      const turn = turns.after(actor)
      return { ...done, actor, ...turn, ...(!isFault && this.#standing(actor)) }
    })
  }

  /** Where a schedule takes the turn away from an actor that could continue. */
  preemptions(schedule: readonly ScheduledStep[]): PreemptionPoint[] {
    const { executor, locals, system } = this.#engine
    const found: PreemptionPoint[] = []
    let last: Actor | undefined
    schedule.forEach(({ actor, choices }, i) => {
      if (last && last.id !== actor && !this.isFinished(last) && !this.isBlocked(last)) {
        const stands = standpoint(system, last, executor.inspect(last, locals.code(this.#words, last.id), this.#words))
        if (stands) found.push({ ...stands, step: i + 1, actor: last.id })
      }
      last = system.actors[actor]
      this.#step(actor, choices)
    })
    return found
  }

  /** Who cannot continue in the state reached, and whether the actor of the step into it has finished. */
  #standing(actor: number): Pick<TraceStep, 'waits' | 'finishes'> {
    const { actors } = this.#engine.system
    const waits = this.waiting(actors.filter((one) => this.isBlocked(one) && !one.daemon))
    return { ...(waits.length > 0 && { waits }), ...(this.isFinished(actors[actor] as Actor) && { finishes: true }) }
  }

  /** What a step out of a state does, in one line: `acquire map.lock (write), entry[0].wired 0 → 1`. */
  summary(words: Int32Array, actor: number, choices: readonly number[]): string {
    this.#words = words
    const { events } = this.#step(actor, choices)
    return (
      events
        .map(({ operation, target, detail }) =>
          operation === 'write' && detail !== ''
            ? `${target} ${detail}`
            : `${operation} ${target}${detail === '' ? '' : ` (${detail})`}`.trim(),
        )
        .join(', ') || 'continues'
    )
  }

  isFinished(actor: Actor): boolean {
    return this.#engine.locals.hasFinished(this.#words, actor.id)
  }

  isBlocked(actor: Actor): boolean {
    const { view, successors } = this.#engine
    view.show(this.#words, successors.stepsOf(this.#words), 0, false)
    return !this.isFinished(actor) && view.isBlocked(actor)
  }

  waitOf(actor: Actor): Waiting | undefined {
    return this.waiting([actor])[0]
  }

  placed(): ReadonlyMap<Actor, Cpu> {
    const { system, reader } = this.#engine
    const pairs = system.actors.map((actor) => [actor, reader.within(this.#words, () => cpuOf(actor))] as const)
    return new Map(pairs.filter((pair): pair is readonly [Actor, Cpu] => pair[1] !== null))
  }

  /** Who waits for what in the state reached, among the given actors. */
  waiting(actors: readonly Actor[]): Waiting[] {
    const { view, successors, executor, locals } = this.#engine
    view.show(this.#words, successors.stepsOf(this.#words), 0, false)
    return view.blocked(actors).map(({ actor, operation, target, heldBy }) => {
      const state = executor.inspect(actor, locals.code(this.#words, actor.id), this.#words)
      const stack = 'stack' in state ? state.stack : []
      return {
        actor: actor.id,
        operation,
        target,
        heldBy: heldBy.map(({ id }) => id),
        at: this.#ownPlace(stack, stack.at(-1)?.site ?? 0),
      }
    })
  }

  /** The accesses of a race that the next steps of two actors would make. */
  racing({ field, actors }: { readonly field: string; readonly actors: readonly [number, number] }): RacingAccess[] {
    return actors.flatMap((id) => this.#accessTo(field, this.#engine.system.actors[id] as Actor) ?? [])
  }

  /** What an actor does next to a field, whatever it has to choose on the way; a write where it does both. Any use of an instance reads whether that lives. */
  #accessTo(field: string, actor: Actor): RacingAccess | null {
    let read: RacingAccess | null = null
    for (let choices: readonly number[] | null = []; choices !== null;) {
      const found: RacingAccess[] = []
      const taken: readonly number[] = choices
      const record = this.#observed(actor, taken, (touched, isWrite, stack) => {
        const isIt = touched.name === field
        if (!isIt && touched.alive?.name !== field) return
        found.push({
          actor: actor.id,
          access: isIt && isWrite ? 'write' : 'read',
          field,
          ...this.#whereabouts(stack),
          ...(taken.some((choice) => choice > 0) && { choices: taken }),
        })
      })
      const write = found.find(({ access }) => access === 'write')
      if (write) return write
      read ??= found[0] ?? null
      choices = nextScript(record)
    }
    return read
  }

  #step(
    actor: number,
    choices: readonly number[],
  ): Pick<TraceStep, 'events' | 'changes' | 'inside'> & { readonly isFault: boolean } {
    const { system, locals } = this.#engine
    const who = system.actors[actor] as Actor
    this.#narration = new Narration()
    const record = this.#observed(who, choices, (field, isWrite, stack, once) =>
      this.#narration.access(field, isWrite, once, () => this.#whereabouts(stack)),
    )
    if (record.outcome === 'blocked') throw new CannotStep(`${who.title} cannot take a step there`)
    if (record.fault) this.#narration.fault(record.fault, this.#faultPlace)
    const before = this.#words
    const after = before.slice()
    for (const [id, raw] of record.writes) writeCell(after, system.layout.cells[id] as never, raw)
    if (record.local) locals.set(after, actor, locals.intern(actor, record.local))
    this.#words = after
    const { memory } = system.machine
    const [from, to] = [this.#valuesOf(before), this.#valuesOf(after)]
    const inside = changes(from, to, memory, true)
    return {
      events: named(this.#narration.events, from, to, memory),
      changes: changes(from, to, memory),
      ...(inside.length > 0 && { inside }),
      isFault: record.fault !== null,
    }
  }

  /** Raw values by field id in the state reached. */
  get values(): readonly number[] {
    return this.#valuesOf(this.#words)
  }

  #valuesOf(words: Int32Array): number[] {
    return this.#engine.system.layout.cells.map((cell) => readCell(words, cell))
  }

  #faultPlace: SourcePlace | null = null

  /** Executes a step with the given ears on it. */
  #observed(
    actor: Actor,
    choices: readonly number[],
    access: (field: Field, isWrite: boolean, stack: readonly Activation[], once: boolean) => void,
  ): StepRecord {
    const { executor, locals } = this.#engine
    const code = locals.code(this.#words, actor.id)
    let stackNow: readonly Activation[] = []
    executor.observer = {
      access: (field, isWrite, stack, once) => {
        stackNow = stack
        access(field, isWrite, stack, once)
      },
      stored: (field, raw) => this.#narration.stored(field, raw),
      choice: (what, taken, stack) => this.#narration.choice(what, taken, this.#whereabouts(stack)),
      operation: (operation, stack, site, isBlocked) => {
        stackNow = stack
        if (!isBlocked)
          this.#narration.operation(operation, { function: names(stack), at: this.#ownPlace(stack, site) })
      },
    }
    try {
      const record = executor.execute(actor, code, this.#words, choices)
      if (record.fault) this.#faultPlace = executor.faultPlace ?? this.#whereabouts(stackNow).at
      return record
    } finally {
      executor.observer = {}
    }
  }

  /** Where in the model's files the code that runs now is: the access itself, else the `yield*` last executed. */
  #whereabouts(stack: readonly Activation[]): Whereabouts {
    const { loaded } = this.#engine.system
    return {
      function: names(stack),
      at: loaded.sourceMap.placeOf(new Error('place')) ?? this.#ownPlace(stack, stack.at(-1)?.site ?? 0),
    }
  }

  /** The innermost place that is in the model's own files: what locks and channels do within is told where they are called. */
  #ownPlace(stack: readonly Activation[], site: number): SourcePlace | null {
    const { runtime } = this.#engine.system
    const here = runtime.place(site)
    return isOwn(here) ? here : (stack.map((activation) => runtime.place(activation.site)).findLast(isOwn) ?? here)
  }
}

function names(stack: readonly Activation[]): string[] {
  return stack.map(({ info }) => info.name)
}
