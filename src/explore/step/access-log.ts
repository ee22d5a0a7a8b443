import type { SourcePlace } from '../../source/refusal.ts'
import { MAX_LOG, endlessAccesses } from './step-refusals.ts'

/**
 * The accesses that an actor has made since it could last be stored, as a virtual point keeps them. A step that continues
 * from a virtual point runs the code again from there, and is fed with what its accesses gave then.
 */
export class AccessLog {
  /**
   * Two numbers an access, a value and what it names: a value read with the number of its naming
   * ({@link Namings}), 0 for writes, an alternative taken, or {@link OBJECT} and its number.
   */
  entries: number[] = []
  #fed = 0
  #feeding = false

  /** No access has been made. */
  clear(): void {
    this.entries = []
    this.#fed = 0
    this.#feeding = false
  }

  /** The accesses to be fed first. */
  feed(entries: readonly number[]): void {
    this.entries = [...entries]
    this.#feeding = entries.length > 0
  }

  /** What was fed or made so far is not needed to come back here. */
  forget(): void {
    this.entries = this.entries.slice(this.#fed)
    this.#fed = 0
    this.#feeding &&= this.entries.length > 0
  }

  /** Feeding is over; whether everything was used up. */
  close(): boolean {
    const isUsedUp = !this.#feeding || this.#fed === this.entries.length
    this.#feeding = false
    return isUsedUp
  }

  /** Whether it is still fed, as far as was looked. */
  get feeding(): boolean {
    return this.#feeding
  }

  /** Whether the next access is fed. */
  get hasNext(): boolean {
    if (this.#feeding && this.#fed === this.entries.length) this.#feeding = false
    return this.#feeding
  }

  /** The value of the next access. */
  next(): number {
    this.#fed += 2
    return this.entries[this.#fed - 2] as number
  }

  /**
   * An access is made.
   *
   * @param place of the code, asked for only when there are too many
   * @throws Refusal for a loop over volatile fields
   */
  add(value: number, naming: number, place: () => SourcePlace | null): void {
    this.entries.push(value, naming)
    this.#fed = this.entries.length
    if (this.entries.length > 2 * MAX_LOG) throw endlessAccesses(place())
  }
}
