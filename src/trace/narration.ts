import type { SourcePlace } from '../source/refusal.ts'
import type { Field } from '../model/field.ts'
import { type Fault, type Memory, showValue } from '../model/memory.ts'
import type { Operation } from '../model/operation.ts'
import type { Change, MachineField, MachineObject, TraceEvent } from './trace.ts'

/** An event whose values are not named yet. */
export interface RawEvent extends TraceEvent {
  /** Id of the field that is read or written, or -1. */
  readonly field: number
  /** Raw value that a write stored, or -1 where only the step's end tells. */
  readonly stored: number
}

/** Where an event happens: functions on the stack, outermost first, and the place in the source. */
export interface Whereabouts {
  readonly function: readonly string[]
  readonly at: SourcePlace | null
}

/** The operation of an event that only says what a step sees of plain memory. */
export const SEES = 'sees'

/** Notes what one step does, as it does it. */
export class Narration {
  readonly events: RawEvent[] = []

  /** An operation takes effect. */
  operation({ operation, primitive, target, args }: Operation<unknown>, where: Whereabouts): void {
    this.#add({ operation, target: target.name, detail: primitive.detail?.(args, target as never) ?? '' }, where)
  }

  /**
   * A field is accessed. Reads that are steps of their own are told as such, those of `readOnce` once each; what others
   * see is told once a step, and not of what the step has written itself.
   */
  access(field: Field, isWrite: boolean, once: boolean, where: () => Whereabouts): void {
    const isRead = !isWrite && (field.access === 'volatile' || once)
    const isKnown = !isWrite && field.access !== 'volatile' && this.events.some((event) => event.field === field.id)
    if (!isKnown)
      this.#add(
        { operation: isWrite ? 'write' : isRead ? 'read' : SEES, target: field.name, detail: '' },
        where(),
        field.id,
      )
  }

  /** What the write just told of stores. */
  stored(field: Field, raw: number): void {
    const last = this.events.at(-1)
    if (last?.target === field.name) this.events[this.events.length - 1] = { ...last, stored: raw }
  }

  /** An alternative is taken. */
  choice(what: string, taken: string, where: Whereabouts): void {
    this.#add({ operation: 'choose', target: what, detail: taken }, where)
  }

  /** The step ends in a fault. */
  fault({ kind, property, message }: Fault, at: SourcePlace | null): void {
    this.#add(
      { operation: kind, target: property, detail: message },
      { function: this.events.at(-1)?.function ?? [], at },
    )
  }

  #add(
    event: Pick<TraceEvent, 'operation' | 'target' | 'detail'>,
    { function: functions, at }: Whereabouts,
    field = -1,
  ): void {
    this.events.push({ ...event, function: functions, at, field, stored: -1 })
  }
}

/** A value of a field as traces show it; of a set, its members' names. */
export function shown(field: Field, raw: number, memory: Memory): unknown {
  if (field.type.names?.form === 'set')
    return field.type.names
      .target()
      .instances(memory)
      .filter((_, i) => ((raw >>> i) & 1) === 1)
      .map(showValue)
  const value = field.type.decode(raw, memory)
  return field.type.show?.(value) ?? value
}

/** A field with its value, as messages show it: `page.busy = true`. */
export function valueLine(field: Field, raw: number, memory: Memory): string {
  return `${field.name} = ${showValue(shown(field, raw, memory))}`
}

/**
 * Names the values of a step's events: writes get what they changed, and tell what was seen before; an allocation or a
 * free is called that.
 *
 * @param before raw values by field id before the step
 * @param after the same after it
 */
export function named(
  events: readonly RawEvent[],
  before: ArrayLike<number>,
  after: ArrayLike<number>,
  memory: Memory,
): TraceEvent[] {
  const latest = new Map<number, unknown>()
  const isTold = ({ operation, field }: RawEvent, i: number): boolean =>
    operation !== SEES ||
    (!memory.fields[field]?.lifeOf &&
      !events.some((other, k) => k > i && other.field === field && other.operation === 'write'))
  return events.filter(isTold).map(({ field: id, stored, ...event }) => {
    const field = memory.fields[id]
    if (!field) return event
    const from = latest.has(id) ? latest.get(id) : shown(field, before[id] as number, memory)
    const to = shown(field, stored < 0 ? (after[id] as number) : stored, memory)
    if (event.operation === 'read' || event.operation === SEES) return { ...event, detail: `= ${showValue(from)}` }
    latest.set(id, to)
    const instance = field.lifeOf
    if (instance)
      return {
        ...event,
        operation: to ? 'allocate' : 'free',
        target: instance,
        detail: to ? contents(instance, after, memory) : '',
      }
    return showValue(from) === showValue(to)
      ? { ...event, detail: `${showValue(to)} again`, unchanged: true }
      : { ...event, detail: `${showValue(from)} → ${showValue(to)}` }
  })
}

/** The fields of an instance, as `start 1, end 2`; those that hold nothing are left out. */
function contents(instance: string, values: ArrayLike<number>, memory: Memory): string {
  return memory.fields
    .filter(({ name }) => name.startsWith(`${instance}.`))
    .flatMap((field) => {
      const value = shown(field, values[field.id] as number, memory)
      return value === null || value === false || value === 0
        ? []
        : [`${field.name.slice(instance.length + 1)} ${showValue(value)}`]
    })
    .join(', ')
}

/** Fields that differ between two states (raw values by field id): those inside of synchronising objects, or the others. */
export function changes(before: ArrayLike<number>, after: ArrayLike<number>, memory: Memory, inside = false): Change[] {
  return memory.fields.flatMap((field) => {
    if (isInside(field) !== inside || before[field.id] === after[field.id]) return []
    return [
      {
        field: field.name,
        from: plain(shown(field, before[field.id] as number, memory)),
        to: plain(shown(field, after[field.id] as number, memory)),
      },
    ]
  })
}

function isInside({ access }: Field): boolean {
  return access === 'internal' || access === 'event'
}

/** The machine's state at the start, struct by struct. */
export function machineObjects(memory: Memory): MachineObject[] {
  const structs = memory.structs()
  const placed = new Set(structs.flatMap(({ fields }) => fields))
  const rest = memory.fields.filter((field) => !placed.has(field))
  const all = rest.length === 0 ? structs : [...structs, { type: 'storage', name: '', fields: rest }]
  return all.map(({ type, name, fields }) => ({
    name,
    type,
    fields: fields.map((field) => machineField(field, name, memory)),
  }))
}

function machineField(field: Field, object: string, memory: Memory): MachineField {
  return {
    field: field.name,
    name: object === '' ? field.name : field.name.slice(object.length).replace(/^\.|^ \(|\)$/g, ''),
    type: field.type.describe,
    initial: plain(shown(field, memory.initial[field.id] as number, memory)),
    ...(field.type.role && { role: field.type.role }),
  }
}

/** A value as JSON holds it: instances by name. */
function plain(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? showValue(value) : value
}
