import type { Actor } from '../../model/actor.ts'
import { schedulingFields } from '../../semantics/dispatch.ts'
import type { StepRecord } from '../step/step-record.ts'
import type { Footprints } from '../step/footprints.ts'
import type { Cell, Layout } from '../state/layout.ts'
import {
  BLOCKED,
  FAULT,
  GOES,
  HELD,
  IDLE,
  INTERRUPTS_OFF,
  LOOPED,
  type LeafParts,
  MAY_GO,
  PLAIN,
  PREEMPTION_OFF,
  SLEEPS,
  STEP,
} from './leaf.ts'
import type { LocalStates } from '../state/local-states.ts'
import type { Accesses } from '../step/accesses.ts'
import { type StepKind, StepKinds } from './step-kinds.ts'

/** What leaves are made with. */
export interface LeafMakerParts {
  readonly layout: Layout
  readonly locals: LocalStates
  readonly footprints: Footprints
  readonly accesses: Accesses
  readonly actors: readonly Actor[]
}

/** Makes leaves of what steps did. */
export class LeafMaker {
  readonly #with: LeafMakerParts
  readonly #scheduling: ReturnType<typeof schedulingFields>
  readonly #kinds = new StepKinds((record) => this.#kindOf(record))

  constructor(parts: LeafMakerParts) {
    this.#with = parts
    this.#scheduling = schedulingFields(parts.actors)
  }

  #kindOf(record: StepRecord): StepKind {
    const { footprints, accesses } = this.#with
    const { moved, all } = this.#scheduling
    const read = record.dependences.flatMap((dependence) => (dependence.on === 'field' ? [dependence.field.id] : []))
    const written = folded(record.writes.keys())
    return {
      touched: written | folded(read),
      written,
      footprint: footprints.intern(record),
      access: accesses.intern(record),
      reads: read.some((id) => !all.has(id)),
      moves: [...record.writes.keys()].some((id) => !moved.has(id)),
    }
  }

  /** The leaf for what an actor did from the local state numbered `before`. */
  parts(actor: number, record: StepRecord, before: number): LeafParts {
    const { layout, locals } = this.#with
    const local = record.local ? locals.intern(actor, record.local) : before
    const writes = triples(record.writes, layout)
    const { touched, written, footprint, access, reads, moves } = this.#kinds.of(record)
    const isStep = record.outcome === 'step'
    // an endless actor that takes a lock and releases it within one step is not stuck, although nothing is left changed
    const cycles = this.#with.actors[actor]?.endless === true && record.first === 'acquire' && record.writes.size > 0
    const isIdle = writes.length === 0 && local === before && !cycles
    const head =
      (isStep ? STEP : record.outcome === 'blocked' ? BLOCKED : FAULT) |
      (record.looped ? LOOPED : 0) |
      (isStep && (!reads || local !== before || cycles) ? GOES : 0) |
      (isStep && reads && moves && local === before && !cycles ? MAY_GO : 0) |
      (record.outcome !== 'blocked' && record.plain.length > 0 ? PLAIN : 0) |
      (isIdle ? IDLE : 0) |
      (record.outcome === 'blocked' && record.holders !== 0 ? HELD : 0) |
      (record.sleeps ? SLEEPS : 0) |
      (record.switchedOff.interrupts > 0 ? INTERRUPTS_OFF : 0) |
      (record.switchedOff.preemption > 0 ? PREEMPTION_OFF : 0)
    const choices: number[] = []
    for (const dependence of record.dependences) if (dependence.on === 'choice') choices.push(dependence.taken)
    return {
      head,
      local,
      touched,
      written,
      footprint,
      access,
      holders: record.holders,
      site: record.site,
      writes,
      firstWrites: record.firstWrites === record.writes ? writes : triples(record.firstWrites, layout),
      choices,
    }
  }
}

/** A set of fields as bits by their ids modulo 32. */
function folded(fields: Iterable<number>): number {
  let bits = 0
  for (const id of fields) bits |= 1 << (id & 31)
  return bits
}

/** Writes as triples of word, bits to keep and bits to set, at most one a word. */
function triples(writes: ReadonlyMap<number, number>, layout: Layout): number[] {
  const made: number[] = []
  for (const [id, raw] of writes) {
    let left = raw
    for (let cell: Cell | null = layout.cells[id] as Cell; cell !== null; cell = cell.rest) {
      const { word, shift, mask } = cell
      let at = 0
      while (at < made.length && made[at] !== word) at += 3
      if (at === made.length) made.push(word, -1, 0)
      made[at + 1] = (made[at + 1] as number) & ~(mask << shift)
      made[at + 2] = ((made[at + 2] as number) & ~(mask << shift)) | ((left & mask) << shift)
      left >>>= 32 - shift
    }
  }
  return made
}
