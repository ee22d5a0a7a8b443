import type { Actor, Cpu } from '../../model/actor.ts'
import type { Property } from '../../model/machine.ts'
import type { Executor } from '../executor.ts'
import type { Script } from '../step-memory.ts'
import type { StepRecord } from '../step-record.ts'
import type { System } from '../system.ts'
import { AsymmetryError } from './asymmetry.ts'
import { exchange } from './names.ts'
import type { Symmetry } from './symmetry.ts'

/**
 * Checks that interchangeable members really are: a step, or a property, is evaluated again with two members exchanged,
 * each time two others, and must come to the same, renamed. One a thread.
 */
export class SymmetryGuard {
  readonly #system: System
  readonly #symmetry: Symmetry
  readonly #executor: Executor
  /** Exchanges of two members, each as an image with the set that they belong to. */
  readonly #exchanges: readonly { readonly image: Int32Array; readonly set: number }[]
  #turn = 0

  constructor(system: System, symmetry: Symmetry, executor: Executor) {
    this.#system = system
    this.#symmetry = symmetry
    this.#executor = executor
    this.#exchanges = exchanges(symmetry)
  }

  /** Whether a state is the same whatever members are exchanged: the initial one must be. */
  checkInitial(words: Int32Array): void {
    for (const { image, set } of this.#exchanges) {
      const other = this.#symmetry.rename(words, image)
      if (other.some((word, i) => word !== words[i])) throw this.#asymmetry(set, 'they do not start alike')
    }
  }

  /** @throws AsymmetryError when a step tells members apart */
  checkStep(actor: Actor, code: Int32Array, words: Int32Array, isPlaced: boolean, record: StepRecord): void {
    this.#checkIndices()
    const { image, set } = this.#exchange()
    const { names, localNames } = this.#symmetry
    const theirs = this.#system.actors[names.actor(actor.id, image)] as Actor
    let again: StepRecord
    try {
      again = this.#executor.execute(theirs, localNames.code(code, image), this.#symmetry.renameShared(words, image), this.#script(record, image), isPlaced)
    } catch (error) {
      if (error instanceof AsymmetryError) throw error
      throw this.#asymmetry(set, `a step of ${actor.name} goes on, but that of ${theirs.name} fails: ${(error as Error).message}`, record)
    }
    const reason = this.#difference(record, again, image)
    if (reason) throw this.#asymmetry(set, `${reason} in a step of ${actor.name} than in that of ${theirs.name}`, record)
  }

  /** @throws AsymmetryError when a property tells members apart */
  checkProperty(property: Property, words: Int32Array, holds: boolean, evaluate: (words: Int32Array) => boolean): void {
    const { image, set } = this.#exchange()
    if (evaluate(this.#symmetry.renameShared(words, image)) !== holds) throw this.#asymmetry(set, `property "${property.name}" holds for one and not for another`)
  }

  #exchange(): { readonly image: Int32Array; readonly set: number } {
    this.#turn = (this.#turn + 1) % this.#exchanges.length
    return this.#exchanges[this.#turn] as { image: Int32Array; set: number }
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
      return [chosen ? { object: objects.objects[this.#symmetry.names.object(objects.indexOf(chosen), image)] as object } : dependence.taken]
    })
  }

  #difference(one: StepRecord, two: StepRecord, image: Int32Array): string | null {
    const { names, localNames } = this.#symmetry
    if (one.outcome !== two.outcome || one.fault?.kind !== two.fault?.kind) return 'the outcome is another one'
    const choices = (record: StepRecord): string => record.dependences.flatMap((dependence) => (dependence.on === 'choice' ? [dependence.n] : [])).join()
    if (choices(one) !== choices(two)) return 'there are other choices'
    if (one.writes.size !== two.writes.size) return 'more is written'
    for (const [id, raw] of one.writes) {
      if (two.writes.get(names.field(id, image)) !== names.raw(id, raw, image)) return `${this.#system.layout.fields[id]?.name} is written otherwise`
    }
    if (one.local === null || two.local === null) return one.local === two.local ? null : 'the actor goes on otherwise'
    const renamed = localNames.code(one.local, image)
    return renamed.length === two.local.length && renamed.every((word, i) => word === ((two.local as readonly number[])[i] as number | 0)) ? null : 'the actor remembers something else, or goes on otherwise,'
  }

  #asymmetry(set: number, reason: string, record?: StepRecord): AsymmetryError {
    const { name, isDeclared } = this.#symmetry.names.sets[set] as { name: string; isDeclared: boolean }
    return new AsymmetryError(name, isDeclared, reason, record ? this.#system.runtime.place(record.site) : null)
  }
}

function exchanges({ names }: Symmetry): { readonly image: Int32Array; readonly set: number }[] {
  return names.sets.flatMap(({ members }, set) => members.flatMap((_, a) => members.slice(a + 1).map((__, i) => ({ image: exchange(names, set, a, a + 1 + i), set }))))
}
