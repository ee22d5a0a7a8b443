import type { Dependence, StepRecord } from '../step/step-record.ts'

/** What leaves have in common whose steps touched the same fields in the same order. */
export interface StepKind {
  /** Fields that are touched, and those that are written, as bits by their ids modulo 32. */
  readonly touched: number
  readonly written: number
  readonly footprint: number
  readonly access: number
  /** Whether a field is read that says more than who runs where, and whether such a field is written. */
  readonly reads: boolean
  readonly moves: boolean
}

/** Kinds that are remembered at most: where none is met again they would only fill memory. */
const MOST = 1 << 14

const OUTCOMES: readonly StepRecord['outcome'][] = ['step', 'blocked', 'fault']
const FIRSTS: readonly StepRecord['first'][] = ['plain', 'acquire', 'release', 'other']

/**
 * The kinds of steps met so far, by what was touched in which order. Finding one takes a fraction of what it takes to make
 * sets of the fields and number them, which counts where every step is executed each time.
 */
export class StepKinds {
  readonly #make: (record: StepRecord) => StepKind
  readonly #known = new Map<number, { readonly events: readonly number[]; readonly kind: StepKind }[]>()
  #count = 0
  readonly #events: number[] = []

  /** @param make tells the kind of a step from its sets of fields */
  constructor(make: (record: StepRecord) => StepKind) {
    this.#make = make
  }

  /** The kind of a step. */
  of(record: StepRecord): StepKind {
    const events = this.#eventsOf(record)
    const hash = hashOf(events)
    const row = this.#known.get(hash)
    if (row) for (const one of row) if (isSame(one.events, events)) return one.kind
    const kind = this.#make(record)
    if (this.#count >= MOST) return kind
    this.#count++
    const made = { events: [...events], kind }
    if (row) row.push(made)
    else this.#known.set(hash, [made])
    return kind
  }

  /** All that a kind is made of: what was read, written, and is looked at by the race check, each in order, and how the step came out. */
  #eventsOf({ dependences, writes, plain, atomic, outcome, first }: StepRecord): readonly number[] {
    const events = this.#events
    events.length = 0
    for (let i = 0; i < dependences.length; i++) {
      const one = dependences[i] as Dependence
      if (one.on === 'field') events.push(one.field.id)
    }
    events.push(-1)
    for (const id of writes.keys()) events.push(id)
    events.push(-1)
    for (let i = 0; i < plain.length; i++) events.push(plain[i] as number)
    events.push(-1)
    for (let i = 0; i < atomic.length; i++) events.push(atomic[i] as number)
    events.push(-1, OUTCOMES.indexOf(outcome), FIRSTS.indexOf(first))
    return events
  }
}

function hashOf(events: readonly number[]): number {
  let hash = events.length
  for (let i = 0; i < events.length; i++) hash = (Math.imul(hash, 31) + (events[i] as number)) | 0
  return hash
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
