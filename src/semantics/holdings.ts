import type { Actor } from '../model/actor.ts'
import type { AtomicContext, Held } from '../model/check.ts'
import type { Field } from '../model/field.ts'
import type { Memory } from '../model/memory.ts'

/** A field that says who holds a lock. */
interface Holding extends Held {
  readonly field: Field
  readonly form: 'one' | 'set'
}

/** Who holds which locks, as the fields of role `holds` say. */
export class Holdings {
  readonly #holdings: readonly Holding[]

  constructor(memory: Memory) {
    this.#holdings = memory.structs().flatMap(({ name, fields }) =>
      fields.flatMap((field): Holding[] => {
        const { role, names, spins } = field.type
        return role === 'holds' && names ? [{ field, form: names.form, lock: name, spins: spins ?? false }] : []
      }),
    )
  }

  /** The fields, for plans of a fast look. */
  get fields(): readonly Field[] {
    return this.#holdings.map(({ field }) => field)
  }

  /**
   * The locks that an actor holds, each once.
   * @param raw gives a field's raw value
   */
  of({ id }: Actor, raw: (field: Field) => number): Held[] {
    const held = this.#holdings.filter(({ field, form }) => namesActor(raw(field), form, id))
    return held
      .filter(({ lock }, i) => held.findIndex((other) => other.lock === lock) === i)
      .map(({ lock, spins }) => ({ lock, spins }))
  }
}

/** Whether the raw value of a field that names actors names one. */
export function namesActor(raw: number, form: 'one' | 'set', id: number): boolean {
  return form === 'set' ? ((raw >> id) & 1) === 1 : raw === id + 1
}

/** Whether a lock's field names one actor and nothing else: no other actor changes that. */
export function namesOnly(raw: number, { type }: Field, { id }: Pick<Actor, 'id'>): boolean {
  return type.names?.form !== 'set' && namesActor(raw, 'one', id) // a set tells of others, too
}

/** Whether anything keeps an actor from sleeping. */
export function isAtomicContext({ isHandler, spinLocks, interruptsOff, preemptionOff }: AtomicContext): boolean {
  return isHandler || spinLocks.length > 0 || interruptsOff || preemptionOff
}
