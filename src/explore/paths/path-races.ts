import type { Actor } from '../../model/actor.ts'
import type { Check, Finding, Race, StateView } from '../../model/check.ts'
import type { Engine } from '../search/engine.ts'
import { type ReadWriteSet, conflict } from '../step/accesses.ts'
import { HappensBefore } from './happens-before.ts'
import type { Move } from './strategy.ts'

/** An event, as the race check sees it. */
interface Event {
  readonly actor: number
  readonly access: ReadWriteSet
  /** Number of its footprint. */
  readonly footprint: number
}

/**
 * Data races of one execution: two conflicting accesses, one of them plain, that no synchronisation orders. Happens-before
 * comes from what steps touch otherwise than plainly: locks, channels, atomic actions on the same fields.
 */
export class PathRaces {
  readonly #engine: Engine
  readonly #order: HappensBefore
  readonly #events: Event[] = []
  /** By number of a footprint: the fields that it touches plainly. */
  readonly #plain = new Map<number, Int32Array>()

  constructor(engine: Engine) {
    this.#engine = engine
    this.#order = new HappensBefore(engine.system.actors.length)
  }

  /** Forgets the events from one on. */
  truncate(length: number): void {
    this.#order.truncate(length)
    this.#events.length = length
  }

  /**
   * Adds a step and tells of its races with earlier ones.
   *
   * @param find told of a race; `before` gives the steps that have to be taken for both accesses to come next
   */
  push(
    { actor, access }: Move,
    footprint: number,
    find: (finding: Finding, before: () => readonly number[]) => void,
    checks: readonly Check[],
  ): void {
    const mine = { actor, access, footprint }
    const clock = this.#order.clockOf(actor, (earlier) => this.#synchronise(this.#events[earlier] as Event, mine))
    for (let earlier = 0; earlier < this.#events.length; earlier++) {
      const other = this.#events[earlier] as Event
      if (other.actor === actor || this.#order.isIn(earlier, clock)) continue
      for (const race of this.#racesOf(other, mine))
        for (const finding of this.#findings(race, checks)) find(finding, () => this.#before(earlier))
    }
    this.#order.push(actor, (earlier) => this.#order.isIn(earlier, clock))
    this.#events.push(mine)
  }

  /** All events but one and those after it in the order of synchronisation. */
  #before(event: number): number[] {
    return this.#events.flatMap((_, other) =>
      other < event || (other > event && !this.#order.isBefore(event, other)) ? [other] : [],
    )
  }

  #racesOf(one: Event, two: Event): Race[] {
    const { footprints, system } = this.#engine
    const fields = [
      ...new Set([
        ...footprints.conflicts(one.footprint, two.footprint),
        ...footprints.conflicts(two.footprint, one.footprint),
      ]),
    ]
    const writes = ({ footprint }: Event, field: number): boolean => {
      const { plain, pending } = footprints.get(footprint)
      return plain.includes(field * 2 + 1) || pending.includes(field * 2 + 1)
    }
    const actors = [system.actors[one.actor] as Actor, system.actors[two.actor] as Actor] as const
    return fields.map((field) => ({
      actors,
      field: system.layout.fields[field]?.name ?? '',
      lifeOf: system.layout.fields[field]?.lifeOf ?? null,
      writes: [writes(one, field), writes(two, field)],
    }))
  }

  /** What checks say of a race. */
  #findings(race: Race, checks: readonly Check[]): Finding[] {
    // of a race, checks look at nothing else
    const view = { actors: this.#engine.system.actors, races: () => [race] } as unknown as StateView
    return checks.flatMap((check) => (check.occasions?.includes('race') ? (check.state?.(view) ?? []) : []))
  }

  /** Whether two steps conflict on something that neither touches plainly. */
  #synchronise(one: Event, two: Event): boolean {
    const plain = [this.#plainOf(one.footprint), this.#plainOf(two.footprint)] as const
    const without = (set: Int32Array): Int32Array =>
      set.map((word, i) => word & ~((plain[0][i] as number) | (plain[1][i] as number)))
    return (
      conflict(one.access, two.access) &&
      conflict({ reads: without(one.access.reads), writes: without(one.access.writes) }, two.access)
    )
  }

  #plainOf(footprint: number): Int32Array {
    let mask = this.#plain.get(footprint)
    if (mask) return mask
    mask = new Int32Array(this.#engine.accesses.words)
    for (const access of this.#engine.footprints.get(footprint).plain)
      mask[access >> 6] = (mask[access >> 6] as number) | (1 << ((access >> 1) & 31))
    this.#plain.set(footprint, mask)
    return mask
  }
}
