import { brokenAtRelease, evaluate } from '../semantics/faults.ts'
import type { Operation } from '../model/operation.ts'
import type { Property } from '../model/property.ts'
import type { Actor } from '../model/actor.ts'
import type { MachineParts } from '../model/machine-parts.ts'
import type { Driver } from './driver.ts'
import type { LiveMemory } from './live-memory.ts'

/** Evaluates the properties that must hold when a lock is released: in free runs at some of its releases. */
export class ReleaseChecks {
  readonly #with: { readonly actor: Actor; readonly driver: Driver }
  readonly #memory: LiveMemory
  /** By lock. */
  readonly #due: ReadonlyMap<object, readonly Property[]>
  #releases = 0

  constructor(
    { actor, driver, machine }: { readonly actor: Actor; readonly driver: Driver; readonly machine: MachineParts },
    memory: LiveMemory,
  ) {
    this.#with = { actor, driver }
    this.#memory = memory
    const due = machine.properties.filter(({ form }) => form === 'when-free')
    this.#due = new Map(due.map(({ lock }) => [lock as object, due.filter((property) => property.lock === lock)]))
  }

  /** Evaluates what an operation that took effect makes due. */
  check({ primitive, target }: Operation<unknown>): void {
    const due = this.#due.get(target)
    if (!due) return
    const memory = this.#memory
    const { actor, driver } = this.#with
    if (!(memory.ghost(() => primitive.frees?.(target, actor)) ?? primitive.class === 'release')) return
    if (this.#releases++ % driver.sampling !== 0 && !memory.isAlone) return
    for (const property of due) {
      const holds = memory.judge(() => evaluate(property))
      if (holds !== true) memory.violated(brokenAtRelease(property, holds))
    }
  }
}
