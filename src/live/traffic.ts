import type { Operation } from '../model/operation.ts'

/** How often operations at an object took effect, and how often attempts found them blocked. */
export interface Attempted {
  readonly performed: number
  readonly blocked: number
}

/** Counts one actor's operations by the name of their object. */
export class Traffic {
  readonly #counts = new Map<string, { performed: number; blocked: number }>()

  /** The counts so far. */
  get byName(): ReadonlyMap<string, Attempted> {
    return this.#counts
  }

  /** The counts of an operation's object, to be raised. */
  of({ target }: Operation<unknown>): { performed: number; blocked: number } {
    let count = this.#counts.get(target.name)
    if (!count) this.#counts.set(target.name, (count = { performed: 0, blocked: 0 }))
    return count
  }
}
