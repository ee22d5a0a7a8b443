import { childrenOf } from '../../runtime/freeze.ts'
import { Actor, Cpu } from '../../model/actor.ts'
import type { Field } from '../../model/field.ts'
import { Machine } from '../../model/machine.ts'
import { type Interchangeable, type Member } from '../../model/machine-parts.ts'
import { Memory, showValue } from '../../model/memory.ts'
import { StructType } from '../../model/struct.ts'
import type { System } from '../state/system.ts'

/** Interchangeable things of one set, with everything that is renamed along with each. */
export interface AlikeSet {
  readonly name: string
  readonly isDeclared: boolean
  readonly members: readonly AlikeMember[]
}

/** A member: what is at the same position in another member corresponds to it. */
export interface AlikeMember {
  readonly name: string
  readonly actor: Actor | null
  readonly fields: readonly Field[]
  /** The member itself and all that programs reach through it alone. */
  readonly objects: readonly object[]
}

/** Why members of a set are not alike. */
export class UnlikeError extends Error {
  override readonly name = 'UnlikeError'
  /** Whether the model does not look as if they were meant to be: nothing to tell its author. */
  readonly isObvious: boolean

  constructor(reason: string, isObvious = false) {
    super(reason)
    this.isObvious = isObvious
  }
}

/**
 * Finds what corresponds to what in the members of a set, by walking through two members at a time.
 * @throws UnlikeError when they are not alike
 */
export function alike(set: Interchangeable, system: System): AlikeSet {
  const [first, ...others] = set.members as [Member, ...Member[]]
  for (const { roots, name } of set.members) {
    if (roots.some((root) => system.machine.memory.distinguished.has(root)))
      throw new UnlikeError(`machine() reads the index of ${name}`)
  }
  const walks = others.map((other) => {
    checkFields(first, other)
    return new Comparison(system, first, other).walk()
  })
  const objects = walks[0]?.map(([mine]) => mine) ?? []
  for (const walk of walks) {
    if (walk.length !== objects.length || walk.some(([mine], i) => mine !== objects[i]))
      throw new UnlikeError('their programs hold different things')
  }
  const { memory } = system.machine
  const placed = new Map(memory.allInstances().map((instance) => [memory.fieldsOf(instance)?.[0], instance]))
  const members = set.members.map(({ name, actor, fields }, i) => {
    const walked = i === 0 ? objects : (walks[i - 1] ?? []).map(([, theirs]) => theirs)
    // its own structs, also those that programs find by the actor
    const own = fields.flatMap((field) => placed.get(field) ?? [])
    return { name, actor, fields, objects: [...walked, ...own] }
  })
  if (members.some((member) => member.objects.length !== members[0]?.objects.length))
    throw new UnlikeError('they have different structs')
  return { name: set.name, isDeclared: set.isDeclared, members }
}

function checkFields(one: Member, two: Member): void {
  const differ =
    one.fields.length !== two.fields.length ||
    one.fields.some(
      ({ type, access }, i) => type.describe !== two.fields[i]?.type.describe || access !== two.fields[i]?.access,
    )
  if (differ) throw new UnlikeError(`${one.name} and ${two.name} have different fields`)
}

/** Walks through what two members hold, side by side. */
class Comparison {
  readonly #system: System
  readonly #one: Member
  readonly #two: Member
  readonly #pairs = new Map<object, object>()
  readonly #queue: [object, object][] = []

  constructor(system: System, one: Member, two: Member) {
    this.#system = system
    this.#one = one
    this.#two = two
  }

  /** Pairs of corresponding objects that differ, in order of the first member's. */
  walk(): [object, object][] {
    this.#one.roots.forEach((root, i) => this.#pair(root, this.#two.roots[i]))
    for (const [one, two] of this.#queue) this.#descend(one, two)
    return this.#queue
  }

  #pair(one: unknown, two: unknown): void {
    if (Object.is(one, two)) return
    if (typeof one === 'string' && typeof two === 'string') return // names; a step that depends on one is found when it runs
    const areObjects = [one, two].every(
      (value) => (typeof value === 'object' && value !== null) || typeof value === 'function',
    )
    if (!areObjects || typeof one !== typeof two) throw this.#unlike(one, two)
    const known = this.#pairs.get(one as object)
    if (known === two) return
    if (known !== undefined) throw this.#unlike(one, two)
    this.#pairs.set(one as object, two as object)
    this.#queue.push([one as object, two as object])
  }

  #descend(one: object, two: object): void {
    const isRoot = this.#one.roots.includes(one)
    const fields = this.#system.machine.memory.fieldsOf(one)
    if (fields) {
      const theirs = this.#system.machine.memory.fieldsOf(two) ?? []
      const isOwn = fields.every(
        (field, i) =>
          this.#one.fields.includes(field) &&
          this.#one.fields.indexOf(field) === this.#two.fields.indexOf(theirs[i] as Field),
      )
      if (!isOwn || theirs.length !== fields.length) throw this.#unlike(one, two)
      return
    }
    if (one instanceof Actor || one instanceof Cpu) {
      if (!isRoot) throw this.#unlike(one, two)
      return
    }
    if (
      one instanceof Machine ||
      one instanceof Memory ||
      one instanceof StructType ||
      Object.getPrototypeOf(one) !== Object.getPrototypeOf(two)
    )
      throw this.#unlike(one, two)
    if (typeof one === 'function' && Function.prototype.toString.call(one) !== Function.prototype.toString.call(two))
      throw new UnlikeError(`${this.#one.name} and ${this.#two.name} run different programs`, true)
    const [mine, theirs] = [childrenOf(one, this.#system.runtime), childrenOf(two, this.#system.runtime)]
    if (mine.length !== theirs.length) throw this.#unlike(one, two)
    mine.forEach((child, i) => this.#pair(child, theirs[i]))
  }

  #unlike(one: unknown, two: unknown): UnlikeError {
    return new UnlikeError(
      `what ${this.#one.name} and ${this.#two.name} hold differs: ${showValue(one)} and ${showValue(two)}`,
      true,
    )
  }
}
