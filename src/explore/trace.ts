import type { Frame } from '../compile/frame.ts'
import type { SourcePlace } from '../compile/refusal.ts'
import { showValue } from '../model/memory.ts'
import type { Actor, Cpu } from '../model/actor.ts'
import type { Field } from '../model/field.ts'
import type { Operation } from '../model/operation.ts'
import type { Engine } from './engine.ts'
import type { StepRecord } from './step-record.ts'
import { cpuOf, sharesCpu } from './dispatch.ts'
import { readCell, writeCell } from './layout.ts'
import type { ScheduledStep } from './schedule.ts'

/** One thing that a step did. */
export interface TraceEvent {
  /** `acquire`, `release`, `write`, `read`, `allocate`, `free`, `when`, ... */
  readonly operation: string
  /** Name of the object; empty for a bare condition. */
  readonly target: string
  readonly detail: string
  /** The kernel functions on the stack, outermost first. */
  readonly function: readonly string[]
  readonly at: SourcePlace | null
}

/** A field that a step changed. */
export interface Change {
  readonly field: string
  readonly from: unknown
  readonly to: unknown
}

/** Why a step's actor runs: it starts, goes on, or why the one before it does not. */
export type Why = 'start' | 'continue' | 'preempted' | 'blocked' | 'woken' | 'finished'

/** One step of a trace. */
export interface TraceStep {
  readonly actor: number
  readonly why: Why
  /** The same in words, with who and what: `CPU 0 is blocked on lock (acquire); woken by CPU 1`; empty for `continue`. */
  readonly because: string
  readonly events: readonly TraceEvent[]
  readonly changes: readonly Change[]
}

/** An actor that cannot go on at the end of a trace. */
export interface Waiting {
  readonly actor: number
  readonly operation: string
  readonly target: string
  readonly heldBy: readonly number[]
  readonly at: SourcePlace | null
}

/** An access that takes part in a race, at the end of a trace. */
export interface RacingAccess {
  readonly actor: number
  readonly access: 'read' | 'write'
  readonly field: string
  readonly function: readonly string[]
  readonly at: SourcePlace | null
}

/** Executes a schedule again, step by step, and tells what happened in kernel terms. */
export class Tracer {
  readonly #engine: Engine
  #words: Int32Array
  #events: TraceEvent[] = []
  /** By position in the events: what a write stored. */
  #stored = new Map<number, number>()

  constructor(engine: Engine) {
    this.#engine = engine
    this.#words = engine.initialState()
  }

  /** The steps of a schedule, from the initial state. The last may be one that ends in a fault. */
  trace(schedule: readonly ScheduledStep[]): TraceStep[] {
    const steps: TraceStep[] = []
    const started = new Set<number>()
    /** Actors that were found blocked: who let them go on, or null while nobody has. */
    const waited = new Map<number, Actor | null>()
    let last = -1
    for (const { actor, choices } of schedule) {
      const why = this.#why(actor, last, started, waited)
      const reason = this.#because(why, actor, last, waited)
      const placed = this.#placed()
      const done = this.#step(actor, choices)
      const because = [reason, this.#moves(placed)].filter((part) => part !== '').join('; ')
      steps.push({ ...done, actor, why, because })
      started.add(actor)
      waited.delete(actor)
      for (const other of this.#engine.system.actors) {
        if (this.isBlocked(other)) waited.set(other.id, null)
        else if (waited.get(other.id) === null) waited.set(other.id, this.#engine.system.actors[actor] as Actor)
      }
      last = actor
    }
    return steps
  }

  /** What a step out of a state does, in one line: `acquire map.lock (write), entry[0].wired 0 → 1`. */
  summary(words: Int32Array, actor: number, choices: readonly number[]): string {
    this.#words = words
    const { events } = this.#step(actor, choices)
    return events.map(({ operation, target, detail }) => (operation === 'write' ? `${target} ${detail}` : `${operation} ${target}${detail === '' ? '' : ` (${detail})`}`.trim())).join(', ') || 'goes on'
  }

  /** Whether an unfinished actor cannot take a step now. */
  isBlocked(actor: Actor): boolean {
    const { view, successors } = this.#engine
    view.show(this.#words, successors.stepsOf(this.#words), 0, false)
    return !this.#isFinished(actor) && view.isBlocked(actor)
  }

  /** Who waits for what in the state reached, among the given actors. */
  waiting(actors: readonly Actor[]): Waiting[] {
    const { view, successors, executor, locals, system } = this.#engine
    view.show(this.#words, successors.stepsOf(this.#words), 0, false)
    return view.blocked(actors).map(({ actor, operation, target, heldBy }) => {
      const state = executor.inspect(actor, locals.code(this.#words, actor.id), this.#words)
      const top = 'stack' in state ? state.stack.at(-1) : undefined
      return { actor: actor.id, operation, target, heldBy: heldBy.map(({ id }) => id), at: system.runtime.place(top?.site ?? 0) }
    })
  }

  /** The accesses of a race on a field that the next steps of two actors would make. */
  racing(field: string): RacingAccess[] {
    const found: RacingAccess[] = []
    for (const actor of this.#engine.system.actors) {
      if (this.#isFinished(actor)) continue
      const mine: RacingAccess[] = []
      this.#observed(actor, [], (touched, isWrite, stack) => {
        if (touched.name !== field) return
        mine.push({ actor: actor.id, access: isWrite ? 'write' : 'read', field, function: names(stack), at: this.#placeOf(stack) })
      })
      const [first] = mine.filter(({ access }) => access === 'write').concat(mine)
      if (first) found.push(first)
    }
    return found
  }

  #isFinished(actor: Actor): boolean {
    return this.#engine.locals.hasFinished(this.#words, actor.id)
  }

  #why(actor: number, last: number, started: ReadonlySet<number>, waited: ReadonlyMap<number, Actor | null>): Why {
    if (!started.has(actor)) return 'start'
    if (actor === last) return 'continue'
    if (waited.has(actor)) return 'woken'
    const before = this.#engine.system.actors[last] as Actor
    return this.#isFinished(before) ? 'finished' : this.isBlocked(before) ? 'blocked' : 'preempted'
  }

  #because(why: Why, actor: number, last: number, waited: ReadonlyMap<number, Actor | null>): string {
    const before = this.#engine.system.actors[last]
    if (actor === last) return ''
    const parts: string[] = []
    if (before && this.#isFinished(before)) parts.push(`${before.title} has finished`)
    else if (before && this.isBlocked(before)) {
      const [wait] = this.waiting([before])
      parts.push(`${before.title} is blocked on ${wait?.target || 'a condition'} (${wait?.operation})`)
    } else if (before && !sharesCpu(before)) parts.push(`${before.title} is preempted`)
    const waker = waited.get(actor)
    if (waker && waker !== this.#engine.system.actors[actor] && why !== 'start') parts.push(`woken by ${waker.title}`)
    const who = this.#engine.system.actors[actor] as Actor
    if (why === 'start') parts.push(who.cpu.state ? `${who.name} starts` : 'starts')
    else if (who.kind === 'handler') parts.push(`${who.name} runs`)
    return parts.join('; ')
  }

  /** Who has which CPU now, among the threads that share them. */
  #placed(): Map<Actor, Cpu> {
    const { system, reader } = this.#engine
    const pairs = system.actors.map((actor) => [actor, reader.within(this.#words, () => cpuOf(actor))] as const)
    return new Map(pairs.filter((pair): pair is readonly [Actor, Cpu] => pair[1] !== null))
  }

  /** What a step did to who runs where: `name/0 leaves CPU 1`, `name/1 runs on CPU 1, which name/0 loses`. */
  #moves(before: ReadonlyMap<Actor, Cpu>): string {
    const after = this.#placed()
    const got = [...after].filter(([actor, cpu]) => before.get(actor) !== cpu)
    const lost = [...before].filter(([actor]) => !after.has(actor))
    if (got.length === 0) return lost.map(([actor, cpu]) => `${actor.name} leaves ${cpu.name}`).join('; ')
    return got
      .map(([actor, cpu]) => {
        const loser = lost.find(([, left]) => left === cpu)?.[0]
        return `${actor.name} runs on ${cpu.name}${loser ? `, which ${loser.name} loses` : ''}`
      })
      .join('; ')
  }

  #step(actor: number, choices: readonly number[]): Pick<TraceStep, 'events' | 'changes'> {
    const { system, locals } = this.#engine
    const who = system.actors[actor] as Actor
    this.#events = []
    this.#stored = new Map()
    const record = this.#observed(who, choices, (field, isWrite, stack, once) => this.#access(field, isWrite, stack, once))
    if (record.fault) {
      this.#events.push({ operation: record.fault.kind, target: record.fault.property, detail: record.fault.message, function: this.#events.at(-1)?.function ?? [], at: this.#faultPlace })
    }
    const before = this.#words
    const after = before.slice()
    for (const [id, raw] of record.writes) writeCell(after, system.layout.cells[id] as never, raw)
    if (record.local) locals.set(after, actor, locals.intern(actor, record.local))
    this.#words = after
    return { events: this.#named(before, after), changes: this.#changes(before, after) }
  }

  #faultPlace: SourcePlace | null = null

  /** Executes a step with the given ears on it. */
  #observed(actor: Actor, choices: readonly number[], access: (field: Field, isWrite: boolean, stack: readonly Frame[], once: boolean) => void): StepRecord {
    const { executor, locals } = this.#engine
    const code = locals.code(this.#words, actor.id)
    let stackNow: readonly Frame[] = []
    executor.observer = {
      access: (field, isWrite, stack, once) => {
        stackNow = stack
        access(field, isWrite, stack, once)
      },
      stored: (field, raw) => {
        const last = this.#events.length - 1
        if (this.#events[last]?.target === field.name) this.#stored.set(last, raw)
      },
      choice: (what, taken, stack) => {
        this.#events.push({ operation: 'choose', target: what, detail: taken, function: names(stack), at: this.#placeOf(stack) })
      },
      operation: (operation, stack, site, isBlocked) => {
        stackNow = stack
        if (!isBlocked) this.#operation(operation, stack, site)
      },
    }
    try {
      const record = executor.execute(actor, code, this.#words, choices)
      if (record.fault) this.#faultPlace = executor.faultPlace ?? this.#placeOf(stackNow)
      return record
    } finally {
      executor.observer = {}
    }
  }

  #operation(operation: Operation<unknown>, stack: readonly Frame[], site: number): void {
    const { primitive, target, args } = operation
    this.#events.push({
      operation: operation.operation,
      target: target.name,
      detail: primitive.detail?.(args, target as never) ?? '',
      function: names(stack),
      at: this.#engine.system.runtime.place(site),
    })
  }

  #access(field: Field, isWrite: boolean, stack: readonly Frame[], once: boolean): void {
    if (!isWrite && field.access !== 'volatile' && !once) return
    if (once && this.#events.some(({ operation, target }) => operation === 'read' && target === field.name)) return
    this.#events.push({ operation: isWrite ? 'write' : 'read', target: field.name, detail: '', function: names(stack), at: this.#placeOf(stack) })
  }

  /** Where in the model's files the code that runs now is: the access itself, else the `yield*` last executed. */
  #placeOf(stack: readonly Frame[]): SourcePlace | null {
    const { runtime, loaded } = this.#engine.system
    return loaded.sourceMap.placeOf(new Error('place')) ?? runtime.place(stack.at(-1)?.site ?? 0)
  }

  /** Writes get the values that they changed; an allocation or a free is called that. */
  #named(before: Int32Array, after: Int32Array): TraceEvent[] {
    const { reader, system } = this.#engine
    const byName = new Map(system.layout.fields.map((field) => [field.name, field]))
    const latest = new Map<Field, unknown>()
    return this.#events.map((event, i) => {
      const field = event.operation === 'write' || event.operation === 'read' ? byName.get(event.target) : undefined
      if (!field) return event
      const from = latest.has(field) ? latest.get(field) : reader.value(field, before)
      const raw = this.#stored.get(i)
      const to = raw === undefined ? reader.value(field, after) : reader.shown(field, raw)
      if (event.operation === 'write') latest.set(field, to)
      const instance = /^(.*) \(allocated\)$/.exec(field.name)?.[1]
      if (instance && event.operation === 'write') return { ...event, operation: to ? 'allocate' : 'free', target: instance, detail: to ? this.#values(instance, after) : '' }
      if (event.operation === 'read') return { ...event, detail: `= ${showValue(from)}` }
      return { ...event, detail: Object.is(from, to) ? `${showValue(to)} again` : `${showValue(from)} → ${showValue(to)}` }
    })
  }

  /** The fields of an instance, as `start 1, end 2`; those that hold nothing are left out. */
  #values(instance: string, words: Int32Array): string {
    const { reader, system } = this.#engine
    return system.layout.fields
      .filter(({ name }) => name.startsWith(`${instance}.`))
      .flatMap((field) => {
        const value = reader.value(field, words)
        return value === null || value === false || value === 0 ? [] : [`${field.name.slice(instance.length + 1)} ${showValue(value)}`]
      })
      .join(', ')
  }

  #changes(before: Int32Array, after: Int32Array): Change[] {
    const { system, reader } = this.#engine
    return system.layout.fields.flatMap((field) => {
      if (field.access === 'internal' || field.access === 'event') return []
      const cell = system.layout.cells[field.id] as never
      if (readCell(before, cell) === readCell(after, cell)) return []
      return [{ field: field.name, from: plain(reader.value(field, before)), to: plain(reader.value(field, after)) }]
    })
  }
}

/** A value as JSON holds it: instances by name. */
function plain(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? showValue(value) : value
}

function names(stack: readonly Frame[]): string[] {
  return stack.map(({ info }) => info.name)
}
