import type { Actor, Cpu } from '../model/actor.ts'
import { dispatch, cpuChoice, sharesCpu } from '../semantics/dispatch.ts'
import type { LiveMemory } from './live-memory.ts'
import type { SharedFields } from './memory/shared-fields.ts'
import type { Transaction } from './memory/transaction.ts'

/** A CPU that a step could be taken on, with its position among those that the explorer would let the actor choose from. */
export type Place = readonly [choice: number, cpu: Cpu]

/**
 * How one actor gets a CPU for a step, where others share it: by the words that the explorer decides by, and by one more a
 * CPU, which says whose step is running there.
 */
export class CpuTurns {
  readonly #actor: Actor
  /** Id of the first CPU's word. */
  readonly #first: number
  readonly #fields: SharedFields
  readonly #transaction: Transaction
  readonly #memory: LiveMemory

  /** @param first number of the words before those of CPUs: the machine's fields */
  constructor(actor: Actor, first: number, fields: SharedFields, transaction: Transaction, memory: LiveMemory) {
    this.#actor = actor
    this.#first = first
    this.#fields = fields
    this.#transaction = transaction
    this.#memory = memory
  }

  /** In a transaction: where the actor could take a step now; null when no one shares its CPU. */
  places(): readonly Place[] | null {
    const actor = this.#actor
    if (actor.cpu.state === null) return null
    const cpus = sharesCpu(actor) ? cpuChoice(actor).cpus : [actor.cpu]
    return cpus
      .map((cpu, i) => [i, cpu] as const)
      .filter(([, cpu]) => [0, actor.id + 1].includes(this.#transaction.read(this.#wordOf(cpu))))
  }

  /** In a transaction: takes one of the places for the step; its commit makes it so. */
  take(places: readonly Place[]): void {
    const actor = this.#actor
    if (!sharesCpu(actor)) return this.#transaction.write(this.#wordOf(actor.cpu), actor.id + 1)
    const cpu = this.#choose(places)
    dispatch(actor, cpu)
    this.#transaction.write(this.#wordOf(cpu), actor.id + 1)
  }

  /** The step is done: the CPU that it was taken on may serve others. */
  letGo(): void {
    const { cpus, id } = this.#actor
    for (const cpu of cpus)
      if (cpu.state && Atomics.load(this.#fields.values, this.#wordOf(cpu)) === id + 1)
        this.#fields.write(this.#wordOf(cpu), 0)
  }

  /** The CPU that is chosen; where a step of another is running there, one that is free. */
  #choose(places: readonly Place[]): Cpu {
    const all = cpuChoice(this.#actor).cpus
    this.#memory.isPlacing = true
    const chosen =
      all.length === 1
        ? 0
        : this.#memory.choose(
            all.length,
            `the CPU of ${this.#actor.name}`,
            all.map(({ name }) => name),
          )
    this.#memory.isPlacing = false
    const [choice, cpu] = places.find(([position]) => position === chosen) ?? (places[0] as Place)
    if (choice !== chosen) this.#memory.choices[this.#memory.choices.length - 1] = choice
    return cpu
  }

  #wordOf(cpu: Cpu): number {
    return this.#first + cpu.index
  }
}
