import type { Actor, Cpu } from '../../model/actor.ts'
import type { Field } from '../../model/field.ts'
import type { Property } from '../../model/property.ts'
import type { Executor } from '../step/executor.ts'
import { type Cell, readCell } from '../state/layout.ts'
import type { Dependence, Script, StepRecord } from '../step/step-record.ts'
import type { Mentions } from '../state/local-form.ts'
import type { System } from '../state/system.ts'
import { AsymmetryError } from './asymmetry.ts'
import { Renamings, inverse } from './renamings.ts'
import type { Symmetry } from './symmetry.ts'

/** A field that an outcome depends on, with its raw value. */
export interface FieldRead {
  readonly field: Field
  readonly raw: number
}

/** What a step or property is evaluated on: the state, and what it has read there. */
interface Evaluated {
  readonly words: Int32Array
  readonly reads: readonly FieldRead[]
  /** Members that it names otherwise. */
  readonly members: readonly number[]
}

/** What an evaluation under a renaming read, and how its outcome differs; null: it does not. */
interface Renamed {
  readonly reads: readonly FieldRead[]
  readonly difference: string | null
}

/** An encoded local state, and where it mentions things. */
interface Located {
  readonly code: Int32Array
  readonly mentions: Mentions
}

/** A step that was taken. */
interface Taken {
  readonly actor: Actor
  readonly from: Located
  /** Null unless it leads somewhere. */
  readonly to: Located | null
  readonly words: Int32Array
  readonly isPlaced: boolean
  readonly record: StepRecord
}

/** A step under a renaming: it is a step of the actor that the first one's becomes, from the local state that its becomes. */
export interface Counterpart {
  readonly actor: Actor
  readonly code: Int32Array
  readonly record: StepRecord
}

/** What came out of a check of a step. */
export interface CheckedStep {
  /** What else its outcome depends on. */
  readonly further: readonly Dependence[]
  /** Steps that were taken under renamings and depend, each, on what they have read and on nothing else. */
  readonly counterparts: readonly Counterpart[]
}

/**
 * Proves that interchangeable members are alike, record by record: a step, or a property, is evaluated again under every
 * renaming of the members that it mentions, and must come to the same, renamed. What it reads then and not before becomes
 * part of what the record depends on, so that the record holds for every state that agrees with it there
 * (docs/soundness.md, "Symmetry"). Of large sets only exchanges are tried. One a thread.
 */
export class SymmetryGuard {
  readonly #system: System
  readonly #symmetry: Symmetry
  readonly #executor: Executor
  readonly #renamings: Renamings

  constructor(system: System, symmetry: Symmetry, executor: Executor) {
    this.#system = system
    this.#symmetry = symmetry
    this.#executor = executor
    this.#renamings = new Renamings(symmetry.names)
  }

  /** Names of the sets of which not every renaming is tried. */
  get sampled(): readonly string[] {
    return this.#renamings.sampled
  }

  /** Whether a state is the same whatever members are exchanged: the initial one must be. */
  checkInitial(words: Int32Array): void {
    for (const image of this.#symmetry.generators) {
      const other = this.#symmetry.rename(words, image)
      if (other.some((word, i) => word !== words[i])) throw this.#asymmetry(image, 'their initial states differ')
    }
  }

  /**
   * Checks a step that was taken from a local state.
   * @throws AsymmetryError when it tells members apart
   */
  checkStep(actor: Actor, code: Int32Array, words: Int32Array, isPlaced: boolean, record: StepRecord): CheckedStep {
    this.#checkIndices()
    const reads = readsOf(record)
    const { names, localNames } = this.#symmetry
    const chosen = record.dependences.flatMap((dependence) =>
      dependence.on === 'choice' ? (dependence.among ?? []) : [],
    )
    const self = names.memberOfActor[actor.id] as number
    const from = this.#located(code)
    const to = record.local && this.#located(Int32Array.from(record.local))
    const members = [
      ...(self < 0 ? [] : [self]),
      ...localNames.membersIn(from.code, from.mentions),
      ...(to ? localNames.membersIn(to.code, to.mentions) : []),
      ...[...record.writes].flatMap(([id, raw]) => names.membersOf(id, raw)),
      ...chosen.flatMap((object) => names.objects.get(this.#system.objects.indexOf(object))?.member ?? []),
    ]
    const counterparts: Counterpart[] = []
    const found = this.#close(
      { words, reads, members },
      (image) => this.#stepUnder({ actor, from, to, words, isPlaced, record }, image, counterparts),
      record.site,
    )
    // where one reads other fields than another, each depends on what all have read, in an order of its own
    const isProved = found.length === 0 && this.sampled.length === 0
    const isPlain = isProved && counterparts.every((other) => readsOf(other.record).length === reads.length)
    return { further: found.map((read) => ({ on: 'field', ...read })), counterparts: isPlain ? counterparts : [] }
  }

  /**
   * Checks the evaluation of a property, and returns what else its outcome depends on.
   *
   * @param read raw values that it read, by field id
   * @param evaluate evaluates it on other words: whether it holds, and what it reads
   * @throws AsymmetryError when it tells members apart
   */
  checkProperty(
    property: Property,
    words: Int32Array,
    holds: boolean,
    read: ReadonlyMap<number, number>,
    evaluate: (words: Int32Array) => { readonly result: boolean; readonly read: ReadonlyMap<number, number> },
  ): readonly FieldRead[] {
    const under = (image: Int32Array): Renamed => {
      const again = evaluate(this.#symmetry.renameShared(words, image))
      return {
        reads: this.#fields(again.read),
        difference: again.result === holds ? null : `property "${property.name}" holds for one and not for another`,
      }
    }
    return this.#close({ words, reads: this.#fields(read), members: [] }, under, 0)
  }

  #fields(read: ReadonlyMap<number, number>): FieldRead[] {
    return [...read].map(([id, raw]) => ({ field: this.#system.machine.memory.fields[id] as Field, raw }))
  }

  /**
   * Evaluates under renamings, in a fixed order, until every one of what is mentioned was tried. What is read under one
   * of them was not read before only if the evaluation goes through members in an order: its counterparts here decide
   * the outcome under that renaming, and so belong to the record.
   */
  #close({ words, reads, members }: Evaluated, under: (image: Int32Array) => Renamed, site: number): FieldRead[] {
    const { names } = this.#symmetry
    const known = new Set(reads.map(({ field }) => field.id))
    const added: FieldRead[] = []
    const tried: Int32Array[] = []
    for (;;) {
      const mentioned = new Set([
        ...members,
        ...[...reads, ...added].flatMap(({ field, raw }) => [
          ...names.ownerOf(field.id),
          ...names.membersOf(field.id, raw),
        ]),
      ])
      const image = this.#renamings.next(mentioned, tried)
      if (image === null) return added
      tried.push(image)
      const { reads: theirs, difference } = under(image)
      if (difference !== null) throw this.#asymmetry(image, difference, site)
      const back = inverse(image)
      for (const { field } of theirs) {
        const id = names.field(field.id, back)
        if (known.has(id)) continue
        known.add(id)
        added.push({
          field: this.#system.machine.memory.fields[id] as Field,
          raw: readCell(words, this.#system.layout.cells[id] as Cell),
        })
      }
    }
  }

  #located(code: Int32Array): Located {
    return { code, mentions: this.#symmetry.localNames.mentioned(code) }
  }

  #stepUnder(
    { actor, from, to, words, isPlaced, record }: Taken,
    image: Int32Array,
    counterparts: Counterpart[],
  ): Renamed {
    const { names, localNames } = this.#symmetry
    const theirs = this.#system.actors[names.actor(actor.id, image)] as Actor
    try {
      const renamed = localNames.code(from.code, image, from.mentions)
      const again = this.#executor.execute(
        theirs,
        renamed,
        this.#symmetry.renameShared(words, image),
        this.#script(record, image),
        isPlaced,
      )
      counterparts.push({ actor: theirs, code: renamed, record: again })
      const reason = this.#difference(record, again, image, to)
      return {
        reads: readsOf(again),
        difference: reason && `${reason} in a step of ${actor.name} than in that of ${theirs.name}`,
      }
    } catch (error) {
      if (error instanceof AsymmetryError) throw error
      return {
        reads: [],
        difference: `a step of ${actor.name} can be taken, but that of ${theirs.name} fails: ${(error as Error).message}`,
      }
    }
  }

  #checkIndices(): void {
    for (const [cpu, at] of this.#system.distinguished) {
      const { names } = this.#symmetry
      const member = names.sets.flatMap(({ members }) => members).findIndex(({ actor }) => actor?.cpu === cpu)
      if (member < 0) continue
      const { name, isDeclared } = names.sets[names.setOf[member] as number] as { name: string; isDeclared: boolean }
      throw new AsymmetryError(name, isDeclared, `the program reads the index of ${(cpu as Cpu).name}`, at)
    }
  }

  /** The same alternatives, renamed where they are things. */
  #script({ dependences }: StepRecord, image: Int32Array): Script {
    const { objects } = this.#system
    return dependences.flatMap((dependence) => {
      if (dependence.on !== 'choice') return []
      const chosen = dependence.among?.[dependence.taken]
      return [
        chosen
          ? { object: objects.objects[this.#symmetry.names.object(objects.indexOf(chosen), image)] as object }
          : dependence.taken,
      ]
    })
  }

  /** @param to the local state that the first step leads to */
  #difference(one: StepRecord, two: StepRecord, image: Int32Array, to: Located | null): string | null {
    const { names, localNames } = this.#symmetry
    if (one.outcome !== two.outcome || one.fault?.kind !== two.fault?.kind) return 'the outcome is another one'
    const choices = (record: StepRecord): string =>
      record.dependences.flatMap((dependence) => (dependence.on === 'choice' ? [dependence.n] : [])).join()
    if (choices(one) !== choices(two)) return 'there are other choices'
    if (one.writes.size !== two.writes.size) return 'more is written'
    for (const [id, raw] of one.writes) {
      if (two.writes.get(names.field(id, image)) !== names.raw(id, raw, image))
        return `${this.#system.layout.fields[id]?.name} is written otherwise`
    }
    if (!this.#sameAccesses(one.plain, two.plain, image) || !this.#sameAccesses(one.atomic, two.atomic, image))
      return 'other fields are accessed (members are gone through in an order)'
    if (this.#holders(one.holders, image) !== two.holders) return 'others hold what is waited for'
    if (to === null || two.local === null) return to === two.local ? null : 'the local states differ'
    const renamed = localNames.code(to.code, image, to.mentions)
    return renamed.length === two.local.length &&
      renamed.every((word, i) => word === ((two.local as readonly number[])[i] as number | 0))
      ? null
      : 'the local states differ'
  }

  /** Whether two lists of accesses (field id * 2, + 1 for a write) are the same sets, one renamed: the race check goes by them. */
  #sameAccesses(one: readonly number[], two: readonly number[], image: Int32Array): boolean {
    const renamed = new Set(one.map((access) => this.#symmetry.names.field(access >> 1, image) * 2 + (access & 1)))
    const theirs = new Set(two)
    return renamed.size === theirs.size && [...renamed].every((access) => theirs.has(access))
  }

  #holders(mask: number, image: Int32Array): number {
    let made = 0
    for (let left = mask; left !== 0; left &= left - 1)
      made |= 1 << this.#symmetry.names.actor(31 - Math.clz32(left & -left), image)
    return made
  }

  /** The error for the set of a member that a renaming moves. */
  #asymmetry(image: Int32Array, reason: string, site = 0): AsymmetryError {
    const { sets, setOf } = this.#symmetry.names
    const moved = image.findIndex((to, member) => to !== member)
    const { name, isDeclared } = sets[setOf[moved] as number] as { name: string; isDeclared: boolean }
    return new AsymmetryError(name, isDeclared, reason, site > 0 ? this.#system.runtime.place(site) : null)
  }
}

function readsOf({ dependences }: StepRecord): FieldRead[] {
  return dependences.flatMap((dependence) =>
    dependence.on === 'field' ? [{ field: dependence.field, raw: dependence.raw }] : [],
  )
}
