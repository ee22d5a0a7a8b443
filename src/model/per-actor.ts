import type { Actor } from './actor.ts'
import type { Instance } from './struct.ts'

/** One struct for each actor of a machine. */
export class PerActor<T extends object> {
  /** Its name, in traces and messages. */
  readonly name: string
  readonly #instances: Instance<T>[] = []
  readonly #make: (actor: Actor) => Instance<T>

  /** @param make places the struct of an actor */
  constructor(name: string, make: (actor: Actor) => Instance<T>) {
    this.name = name
    this.#make = make
  }

  /** Every actor's, in order of actors: for properties. */
  get all(): readonly Instance<T>[] {
    return [...this.#instances]
  }

  /** The struct of an actor. */
  of(actor: Actor): Instance<T> {
    return this.#instances[actor.id] as Instance<T>
  }

  /** An actor was made, or was there before. */
  add(actor: Actor): void {
    this.#instances[actor.id] = this.#make(actor)
  }
}
