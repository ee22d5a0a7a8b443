import { type Actor, CpuStruct, ThreadStruct } from '../../model/actor.ts'
import type { Leftover } from '../../model/check.ts'
import { locationOf } from '../../model/locations.ts'
import type { Field } from '../../model/field.ts'
import type { AtomicContext } from '../../model/check.ts'
import { Holdings, namesActor } from '../../semantics/holdings.ts'
import { type Cell, readCell } from '../state/layout.ts'
import type { System } from '../state/system.ts'

/** One field that may name an actor as a holder, for a fast look. */
interface Watched {
  readonly cell: Cell
  readonly form: 'one' | 'set'
}

/** What concerns one actor. */
interface Watch {
  /** Locks that it must not hold at its end; those among them that spin, at a sleep. */
  readonly locks: readonly Watched[]
  readonly spinning: readonly Watched[]
  /** How often it has switched interrupts and preemption off, on a shared CPU. */
  readonly off: { readonly interrupts: Cell; readonly preemption: Cell } | null
  /** Of a handler: the cell that says which handler is running on its CPU. */
  readonly atWork: Cell | null
}

/** Who holds what in a stored state: for the checks that ask at the end of a program, and before a sleep. */
export class Balance {
  /** Whether anything could be left at an end. */
  readonly seesEnds: boolean
  readonly #holdings: Holdings
  readonly #cells: readonly Cell[]
  readonly #watches: readonly Watch[]

  constructor(system: System) {
    const { machine, layout, actors } = system
    this.#holdings = new Holdings(machine.memory)
    this.#cells = layout.cells as readonly Cell[]
    const cellOf = (field: Field): Cell => layout.cells[field.id] as Cell
    const inside = (struct: typeof CpuStruct | typeof ThreadStruct, instance: object, key: string): Cell => {
      const at = (struct.keys as readonly string[]).indexOf(key)
      return cellOf((locationOf(instance) as { fields: readonly Field[] }).fields[at] as Field)
    }
    const names = new Map(
      machine.memory.structs().flatMap(({ name, fields }) => fields.map((field) => [field, name] as const)),
    )
    const watched = (field: Field): Watched => ({ cell: cellOf(field), form: field.type.names?.form ?? 'one' })
    this.#watches = actors.map(({ state, kind, cpu, hands }) => ({
      locks: this.#holdings.fields.filter((field) => !hands.includes(names.get(field) as string)).map(watched),
      spinning: this.#holdings.fields.filter(({ type }) => type.spins).map(watched),
      off: state && {
        interrupts: inside(ThreadStruct, state, 'interruptsOff'),
        preemption: inside(ThreadStruct, state, 'preemptionOff'),
      },
      atWork: kind === 'handler' && cpu.state ? inside(CpuStruct, cpu.state, 'handler') : null,
    }))
    this.seesEnds = this.#watches.some(({ locks, off }) => locks.length > 0 || off !== null)
  }

  /** Whether an actor that has ended holds something; of a handler, while it is not running. */
  isLeft({ id }: Actor, words: Int32Array): boolean {
    const { locks, off, atWork } = this.#watches[id] as Watch
    if (atWork !== null && readCell(words, atWork) === id + 1) return false
    for (const { cell, form } of locks) if (namesActor(readCell(words, cell), form, id)) return true
    return off !== null && (readCell(words, off.interrupts) !== 0 || readCell(words, off.preemption) !== 0)
  }

  /** Whether an actor is in a context in which it must not sleep, as far as shared memory says. */
  isAtomic({ id, kind }: Actor, words: Int32Array): boolean {
    if (kind === 'handler') return true
    const { spinning, off } = this.#watches[id] as Watch
    for (const { cell, form } of spinning) if (namesActor(readCell(words, cell), form, id)) return true
    return off !== null && (readCell(words, off.interrupts) !== 0 || readCell(words, off.preemption) !== 0)
  }

  /** The same for messages: with what a thread alone on its CPU has switched off. */
  context(actor: Actor, words: Int32Array, interruptsOff: boolean, preemptionOff: boolean): AtomicContext {
    const { off } = this.#watches[actor.id] as Watch
    const spinLocks = this.#held(actor, words).flatMap(({ lock, spins }) => (spins ? [lock] : []))
    return {
      isHandler: actor.kind === 'handler',
      spinLocks,
      interruptsOff: interruptsOff || (off !== null && readCell(words, off.interrupts) !== 0),
      preemptionOff: preemptionOff || (off !== null && readCell(words, off.preemption) !== 0),
    }
  }

  /** What an actor that has ended has not given back; null: nothing. */
  leftover(actor: Actor, words: Int32Array): Leftover | null {
    if (!this.isLeft(actor, words)) return null
    const { interruptsOff, preemptionOff } = this.context(actor, words, false, false)
    const locks = this.#held(actor, words).flatMap(({ lock }) => (actor.hands.includes(lock) ? [] : [lock]))
    return { locks, interruptsOff, preemptionOff }
  }

  #held(actor: Actor, words: Int32Array): ReturnType<Holdings['of']> {
    return this.#holdings.of(actor, ({ id }) => readCell(words, this.#cells[id] as Cell))
  }
}
