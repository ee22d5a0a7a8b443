import type { Actor } from '../model/actor.ts'
import type { Field } from '../model/field.ts'
import type { Operation } from '../model/operation.ts'
import { awaitedBy } from '../semantics/awaited.ts'
import { cpuChoice, cpuOf, sharesCpu } from '../semantics/dispatch.ts'
import type { Switches } from '../semantics/switches.ts'
import { type Whereabouts, valueLine } from '../trace/narration.ts'
import type { Wait } from './driver.ts'
import type { MachineParts } from '../model/machine-parts.ts'
import type { SharedFields } from './memory/shared-fields.ts'
import { within } from './memory/snapshot-port.ts'

/** The actor whose waits are asked for, its machine, and the memory as it is now. */
interface Surroundings {
  readonly actor: Actor
  readonly machine: MachineParts
  readonly fields: SharedFields
}

/** Finds out what an actor waits for while no actor runs, outside any step. */
export class Waits {
  readonly #with: Surroundings

  constructor({ actor, machine, fields }: Surroundings) {
    this.#with = { actor, machine, fields }
  }

  /**
   * What the actor waits for; null: nothing that is known.
   *
   * @param operation that it stands before, or is in; null: none
   * @param off what it has switched off
   */
  of(operation: Operation<unknown> | null, off: Switches, where: () => Whereabouts): Wait | null {
    if (!operation) return this.#forCpu(off, where)
    const { primitive, target } = operation
    const { actor } = this.#with
    return this.#quietly(() => {
      const cpu = sharesCpu(actor) ? cpuChoice(actor) : null
      if (cpu?.cpus.length === 0) return this.#withoutCpu(cpu.holders, off, where)
      const { isBlocked: isShut, reads } = this.#guardOf(operation)
      // a sleeper that still has its CPU can give it up, which is a step
      const isBlocked = isShut && !(primitive.yields && cpuOf(actor) !== null)
      const heldBy = awaitedBy(operation, actor)
      return {
        operation: operation.operation,
        target: target.name,
        isBlocked,
        heldBy: heldBy.map(({ id }) => id),
        isHeld: primitive.holders !== undefined,
        sleeping: primitive.sleeps ?? false,
        reads,
        mayYield: primitive.yields ?? false,
        off,
        at: where().at,
      }
    })
  }

  /** Whether an operation is blocked, and of a bare condition what that depends on. */
  #guardOf({ primitive, target, args }: Operation<unknown>): Pick<Wait, 'isBlocked' | 'reads'> {
    const { actor, machine, fields } = this.#with
    const read = new Set<Field>()
    const isBlocked = !within(
      machine.memory,
      fields.values,
      () => primitive.enabled?.(target, actor, args) ?? true,
      () => 0,
      (field) => read.add(field),
    )
    const reads =
      target.name === ''
        ? [...read].map((field) => valueLine(field, (fields.values[field.id] as number) >>> 0, machine.memory))
        : []
    return { isBlocked, reads }
  }

  #forCpu(off: Switches, where: () => Whereabouts): Wait | null {
    const { actor } = this.#with
    if (!sharesCpu(actor)) return null
    const { cpus, holders } = this.#quietly(() => cpuChoice(actor))
    return cpus.length === 0 ? this.#withoutCpu(holders, off, where) : null
  }

  #withoutCpu(holders: readonly Actor[], off: Switches, where: () => Whereabouts): Wait {
    const { cpus } = this.#with.actor
    return {
      operation: 'run',
      target: cpus.map(({ name }) => name).join(' or '),
      isBlocked: true,
      heldBy: holders.map(({ id }) => id),
      isHeld: cpus.length === 1,
      sleeping: false,
      reads: [],
      mayYield: false,
      off,
      at: where().at,
    }
  }

  /** Reads shared memory while no one runs, outside any step. */
  #quietly<T>(body: () => T): T {
    return within(this.#with.machine.memory, this.#with.fields.values, body, () => 0)
  }
}
