import type { MachineField, MachineObject, TraceStep, Waiting } from '../trace/trace.ts'
import type { Violation } from '../trace/violation.ts'
import type { Report } from './report.ts'

/** A CPU's lane. */
export interface Lane {
  readonly cpu: number
  readonly title: string
}

/** A stretch of a trace in which an actor holds an object or waits for it. */
export interface Stretch {
  readonly actor: number
  /** Name of the object. */
  readonly object: string
  /** How: the field that names the actor (`writer`), or the operation that waits (`acquire`). */
  readonly how: string
  /** The step that began it, from 0. */
  readonly from: number
  /** The step that ended it; the number of steps where it lasts to the end. */
  readonly to: number
}

/** A step that lets another actor continue, or gives it what it had itself. */
export interface Arrow {
  readonly kind: 'wakeup' | 'hand-over'
  readonly step: number
  readonly from: number
  readonly to: number
  /** Name of the object that it is about. */
  readonly object: string
}

/** The machine's state: values by field, as changes call them. */
export type MachineState = Readonly<Record<string, unknown>>

/** A trace as a picture needs it: what holds from when to when, and the state after every step. */
export interface Timeline {
  readonly lanes: readonly Lane[]
  /** Place among the lanes by actor. */
  readonly laneOf: readonly number[]
  /** The state before the first step, then after each. */
  readonly states: readonly MachineState[]
  readonly holds: readonly Stretch[]
  readonly waits: readonly Stretch[]
  readonly arrows: readonly Arrow[]
}

/** The timeline of a violation's trace. Of a report that does not tell the machine's state, holds and states are empty. */
export function timelineOf(report: Report, violation: Violation): Timeline {
  const cpus = [...new Set(report.actors.map(({ cpu }) => cpu))].toSorted((a, b) => a - b)
  const states = statesOf(report.machine ?? [], violation.steps)
  const holds = holdsOf(report, states)
  return {
    lanes: cpus.map((cpu) => ({ cpu, title: laneTitle(report, cpu) })),
    laneOf: report.actors.map(({ cpu }) => cpus.indexOf(cpu)),
    states,
    holds,
    waits: waitsOf(violation),
    arrows: arrowsOf(violation.steps, holds),
  }
}

/** `CPU 0: wirer` */
export function laneTitle({ actors }: Pick<Report, 'actors'>, cpu: number): string {
  const names = actors.filter((actor) => actor.cpu === cpu).map(({ name }) => name.replace(/\/\d+$/, ''))
  return `CPU ${cpu}: ${names.join(', ')}`
}

/** What a step changed, inside of synchronising objects too. */
export function allChanges({ changes, inside = [] }: TraceStep): TraceStep['changes'] {
  return [...changes, ...inside]
}

function statesOf(machine: readonly MachineObject[], steps: readonly TraceStep[]): MachineState[] {
  const states: MachineState[] = [
    Object.fromEntries(machine.flatMap(({ fields }) => fields.map(({ field, initial }) => [field, initial]))),
  ]
  for (const step of steps) states.push(next(states.at(-1) as MachineState, step))
  return states
}

/** The state after a step; the one before, where nothing changes. */
function next(state: MachineState, step: TraceStep): MachineState {
  const changes = allChanges(step)
  // a step that ends in a fault has no changes, but it has written
  const writes = changes.length > 0 ? [] : step.events.filter(({ operation }) => operation === 'write')
  if (changes.length + writes.length === 0) return state
  return {
    ...state,
    ...Object.fromEntries([
      ...changes.map(({ field, to }) => [field, to]),
      ...writes.flatMap(({ target, detail }) =>
        Object.hasOwn(state, target) ? [[target, valueOf(detail.split(' → ').at(-1) as string)]] : [],
      ),
    ]),
  }
}

/** A value as events show it; texts are names. */
function valueOf(text: string): unknown {
  const bare = text.replace(/ again$/, '')
  return bare === 'null'
    ? null
    : bare === 'true' || bare === 'false'
      ? bare === 'true'
      : /^-?\d+$/.test(bare)
        ? Number(bare)
        : bare
}

/** The names that a field's value holds: of one thing, or of a set of them. */
export function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : []
}

function holdsOf({ machine = [], actors }: Report, states: readonly MachineState[]): Stretch[] {
  const ids = new Map(actors.map(({ name, id }) => [name, id]))
  const found: Stretch[] = []
  for (const { name, fields } of machine) {
    for (const field of fields.filter(({ role }) => role === 'holds')) {
      const holders = states.map((state) => namesIn(state[field.field]).flatMap((holder) => ids.get(holder) ?? []))
      for (const { actor, from, to } of stretches(holders))
        found.push({ actor, object: name, how: howOf(field), from, to })
    }
  }
  return found.toSorted((a, b) => a.from - b.from || a.actor - b.actor)
}

function howOf({ name }: MachineField): string {
  return name === 'readers' ? 'reader' : name === 'actor' ? 'owner' : name
}

function waitsOf({ steps }: Violation): Stretch[] {
  const waiting: readonly (readonly Waiting[])[] = [[], ...steps.map(({ waits = [] }) => waits)]
  return stretches(waiting.map((all) => all.map(({ actor }) => actor)))
    .map(({ actor, from, to }) => {
      // what it waits for is told where it begins to
      const wait = waiting[from + 1]?.find((one) => one.actor === actor)
      return { actor, object: wait?.target ?? '', how: wait?.operation ?? '', from, to }
    })
    .toSorted((a, b) => a.from - b.from || a.actor - b.actor)
}

/** From lists of actors, one a state: who is there from which step to which. */
function stretches(
  states: readonly (readonly number[])[],
): { readonly actor: number; readonly from: number; readonly to: number }[] {
  const found: { actor: number; from: number; to: number }[] = []
  const since = new Map<number, number>()
  states.forEach((actors, i) => {
    for (const actor of actors) if (!since.has(actor)) since.set(actor, i - 1)
    for (const [actor, from] of since) {
      if (actors.includes(actor)) continue
      found.push({ actor, from, to: i - 1 })
      since.delete(actor)
    }
  })
  for (const [actor, from] of since) found.push({ actor, from, to: states.length - 1 })
  return found
}

function arrowsOf(steps: readonly TraceStep[], holds: readonly Stretch[]): Arrow[] {
  const [begun, ended] = [byStep(holds, 'from'), byStep(holds, 'to')]
  return steps.flatMap(({ actor, waits = [] }, step) => {
    const handed = (begun.get(step) ?? []).filter(
      ({ actor: to, object }) =>
        to !== actor && (ended.get(step) ?? []).some((hold) => hold.actor === actor && hold.object === object),
    )
    const before = step === 0 ? [] : (steps[step - 1]?.waits ?? [])
    const woken = before.filter(
      (wait) =>
        wait.actor !== actor &&
        waits.every((still) => still.actor !== wait.actor) &&
        handed.every((hold) => hold.actor !== wait.actor),
    )
    return [
      ...handed.map(({ actor: to, object }): Arrow => ({ kind: 'hand-over', step, from: actor, to, object })),
      ...woken.map(({ actor: to, target }): Arrow => ({ kind: 'wakeup', step, from: actor, to, object: target })),
    ]
  })
}

function byStep(stretches: readonly Stretch[], end: 'from' | 'to'): ReadonlyMap<number, readonly Stretch[]> {
  const found = new Map<number, Stretch[]>()
  for (const stretch of stretches) {
    const there = found.get(stretch[end])
    if (there) there.push(stretch)
    else found.set(stretch[end], [stretch])
  }
  return found
}
