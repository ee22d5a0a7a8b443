import type { Fault } from '../../model/memory.ts'
import type { PrimitiveClass } from '../../model/operation.ts'
import type { Switches } from '../../semantics/switches.ts'
import type { Field } from '../../model/field.ts'

/** Something the step's course depended on: a field's value, or an alternative taken. */
export type Dependence =
  | { readonly on: 'field'; readonly field: Field; readonly raw: number }
  | { readonly on: 'choice'; readonly n: number; readonly taken: number; readonly among: readonly object[] | null }

/** Alternatives to take, one a choice: by position, or one of those that a choice is among. */
export type Script = readonly (number | { readonly object: object })[]

/** What a step did, as a function of its dependences. */
export interface StepRecord {
  readonly dependences: readonly Dependence[]
  readonly outcome: 'step' | 'blocked' | 'fault'
  /** Raw values written, by field id. */
  readonly writes: ReadonlyMap<number, number>
  /** Raw values written by the operation that the step began with. */
  readonly firstWrites: ReadonlyMap<number, number>
  /** Encoding of the local state reached; null unless the outcome is `step`. */
  readonly local: readonly number[] | null
  readonly fault: Fault | null
  /** What the step began with. */
  readonly first: PrimitiveClass | 'plain'
  /** Race-checked accesses before the first release: field id * 2, + 1 for a write. */
  readonly plain: readonly number[]
  /** Accesses of an operation of class `other` to fields outside synchronising objects, coded alike. */
  readonly atomic: readonly number[]
  readonly looped: boolean
  /** Whether the operation that the step begins with may sleep. */
  readonly sleeps: boolean
  /** What the actor, alone on its CPU, had switched off when the step began. */
  readonly switchedOff: Switches
  /** Of a blocked attempt: actors that alone could end the wait (mask of actor ids). */
  readonly holders: number
  /** Number of the code site where the step began: its label. */
  readonly site: number
}

/** The alternatives to take after those of a record, in order; null after the last. */
export function nextScript({ dependences }: StepRecord): number[] | null {
  // without lists of their own: asked after every step that is executed each time, and nearly always in vain
  let last = dependences.length - 1
  for (; last >= 0; last--) {
    const one = dependences[last] as Dependence
    if (one.on === 'choice' && one.taken + 1 < one.n) break
  }
  if (last < 0) return null
  const script: number[] = []
  for (let i = 0; i <= last; i++) {
    const one = dependences[i] as Dependence
    if (one.on === 'choice') script.push(i === last ? one.taken + 1 : one.taken)
  }
  return script
}

/** Whether a step took the same course twice. */
export function sameCourse(a: StepRecord, b: StepRecord): boolean {
  return (
    a.outcome === b.outcome &&
    a.fault?.message === b.fault?.message &&
    a.dependences.length === b.dependences.length &&
    a.dependences.every((one, i) => sameDependence(one, b.dependences[i] as never)) &&
    sameNumbers(a.local ?? [], b.local ?? []) &&
    sameNumbers([...a.writes].flat(), [...b.writes].flat())
  )
}

function sameDependence(a: StepRecord['dependences'][number], b: StepRecord['dependences'][number]): boolean {
  return a.on === 'field'
    ? b.on === 'field' && a.field === b.field && a.raw === b.raw
    : b.on === 'choice' && a.n === b.n && a.taken === b.taken
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}
