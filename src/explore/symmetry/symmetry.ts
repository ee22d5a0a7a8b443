import type { Field } from '../../model/field.ts'
import { LocalCodec } from '../state/local-codec.ts'
import { type Cell, type Layout, readCell, writeCell } from '../state/layout.ts'
import { type LocalStates, PackingFullError } from '../state/local-states.ts'
import { compareStates } from '../state/state-order.ts'
import type { System } from '../state/system.ts'
import { LocalNames } from './local-names.ts'
import { mix } from './mix.ts'
import { type Names, type Places, exchange, forEachNamed, renamed } from './names.ts'
import { permutations } from './permutations.ts'

/** A field's cell with what its values name. */
interface Slot {
  readonly cell: Cell
  readonly places: Places | null
}

/** Rounds in which members' colours take in those of the members they are connected with. */
const ROUNDS = 2

/**
 * Renames interchangeable members in states: every state is replaced by one of those that renaming makes of it, the same
 * one for all of them, so that the search stores one state of each orbit. Which one depends on contents alone, not on
 * numbers given in passing. One a thread.
 *
 * Members that are actors are ordered by where they are in their code and what they hold there, which nearly always tells
 * them apart. Others, and those that this does not tell apart, are ordered by a colour, a hash of all that can be said of one
 * without naming another, refined by the colours of those it is connected with (as graph canonisers do). Where colours tie,
 * every order is tried and the least state taken, so that orbits are exact (docs/soundness.md, "Symmetry").
 */
export class Symmetry {
  readonly names: Names
  readonly localNames: LocalNames
  /** Renamings of which all others are made: exchanges of neighbours. */
  readonly generators: readonly Int32Array[]
  readonly #locals: LocalStates
  readonly #layout: Layout
  /** By member: its fields. */
  readonly #own: readonly (readonly Slot[])[]
  readonly #naming: readonly Slot[]
  readonly #actors: number
  /** By member: the shape of its actor's local state; 0 for what is no actor. */
  readonly #keys: Int32Array
  /** Members that are actors make up all sets. */
  readonly #hasActorsOnly: boolean
  readonly #colours: Int32Array
  readonly #next: Int32Array
  /** By member: how often others, or fields of no one, name it, and whether it names others. */
  readonly #connected: Uint8Array
  readonly #image: Int32Array
  #best: Int32Array = new Int32Array(0)
  #trial: Int32Array = new Int32Array(0)
  #source: Int32Array = new Int32Array(0)

  constructor(names: Names, system: System, locals: LocalStates) {
    this.names = names
    this.localNames = new LocalNames(names, new LocalCodec(system.runtime, system.objects), locals)
    this.#locals = locals
    this.#layout = system.layout
    const slot = ({ id }: Field): Slot => ({ cell: system.layout.cells[id] as Cell, places: names.places(id) })
    this.#own = names.fieldIds.map((ids) => ids.map((id) => slot(system.machine.memory.fields[id] as Field)))
    this.#naming = names.naming.map(({ field }) => slot(field))
    this.#actors = system.actors.length
    this.#keys = new Int32Array(names.count)
    this.#hasActorsOnly = names.actorOfMember.every((actor) => actor >= 0)
    this.#colours = new Int32Array(names.count)
    this.#next = new Int32Array(names.count)
    this.#connected = new Uint8Array(names.count)
    this.#image = new Int32Array(names.count)
    this.generators = names.sets.flatMap(({ members }, set) =>
      members.slice(1).map((_, i) => exchange(names, set, i, i + 1)),
    )
  }

  /**
   * Replaces a state by that of its orbit that is stored.
   *
   * @param row the state, changed in place
   * @returns how members were renamed, valid until the next call; null when they were not
   * @throws PackingFullError when a local state's number does not fit
   */
  canonise(row: Int32Array): Int32Array | null {
    this.#grow(row.length)
    this.#source.set(row)
    const image = this.#order(this.#source)
    if (image === null) return null
    row.set(this.#best)
    return image
  }

  /** What a state becomes when members are renamed. */
  rename(row: Int32Array, image: Int32Array): Int32Array {
    const made = new Int32Array(row.length)
    this.#renameInto(made, row, image)
    return made
  }

  /** What the shared fields of a state become; local states stay. */
  renameShared(row: Int32Array, image: Int32Array): Int32Array {
    const made = row.slice()
    this.#renameFields(made, row, image)
    return made
  }

  #grow(words: number): void {
    if (this.#source.length === words) return
    this.#source = new Int32Array(words)
    this.#best = new Int32Array(words)
    this.#trial = new Int32Array(words)
  }

  /** Finds the renaming that leads to the least state, which is left in `#best`; null: none is needed. */
  #order(row: Int32Array): Int32Array | null {
    const image = this.#image
    this.#colours.fill(0)
    this.#key(row)
    if (!this.#hasActorsOnly || this.#hasEqualKeys()) this.#colourAll(row)
    const classes = this.#rank(image)
    let isIdentity = true
    for (let member = 0; member < image.length; member++) if (image[member] !== member) isIdentity = false
    if (classes.length === 0) {
      if (isIdentity) return null
      this.#renameInto(this.#best, row, image)
      return image
    }
    return this.#least(row, image, classes)
  }

  /** Colours members so that as few as possible are alike. */
  #colourAll(row: Int32Array): void {
    this.#colour(row)
    for (let round = 0; round < ROUNDS && this.#hasTies(); round++) this.#refine(row)
  }

  /** Keys of members that are actors. */
  #key(row: Int32Array): void {
    const { memberOfActor } = this.names
    for (let actor = 0; actor < this.#actors; actor++) {
      const member = memberOfActor[actor] as number
      if (member >= 0) this.#keys[member] = this.localNames.mentions(actor, this.#locals.id(row, actor)).shape
    }
  }

  /** Whether keys leave two members of a set alike. */
  #hasEqualKeys(): boolean {
    const { setOf, count } = this.names
    for (let a = 0; a < count; a++)
      for (let b = a + 1; b < count && setOf[a] === setOf[b]; b++) if (this.#keys[a] === this.#keys[b]) return true
    return false
  }

  /** Below 0 where a member comes before another one, above where it comes after, 0 where they are alike. */
  #compare(a: number, b: number): number {
    return (
      (this.#keys[a] as number) - (this.#keys[b] as number) ||
      (this.#colours[a] as number) - (this.#colours[b] as number)
    )
  }

  /** Tries every order within classes of tied members; the least state is kept, in doubt the first. */
  #least(row: Int32Array, image: Int32Array, classes: readonly (readonly number[])[]): Int32Array {
    const start = image.slice()
    let isFirst = true
    for (const order of permutations(classes)) {
      const trial = start.slice()
      classes.forEach((members, c) =>
        members.forEach((member, i) => (trial[member] = start[(order[c] as readonly number[])[i] as number] as number)),
      )
      this.#renameInto(this.#trial, row, trial)
      if (!isFirst && compareStates(this.#layout, this.#locals, this.#trial, this.#best) >= 0) continue
      isFirst = false
      ;[this.#best, this.#trial] = [this.#trial, this.#best]
      image.set(trial)
    }
    return image
  }

  /** Colours of members from all that names no other one. */
  #colour(row: Int32Array): void {
    const { names } = this
    const colours = this.#colours
    this.#connected.fill(0)
    for (let member = 0; member < names.count; member++) {
      let colour = names.setOf[member] as number
      for (const { cell, places } of this.#own[member] as readonly Slot[]) {
        const raw = readCell(row, cell)
        colour = mix(colour, places === null ? raw : this.#ownShape(raw, places, member))
      }
      colours[member] = colour
    }
    for (let actor = 0; actor < this.#actors; actor++) {
      const { shape, members } = this.localNames.mentions(actor, this.#locals.id(row, actor))
      const member = names.memberOfActor[actor] as number
      if (member >= 0) colours[member] = mix(colours[member] as number, shape)
      for (const other of members) {
        this.#connected[other] = 1
        if (member >= 0) this.#connected[member] = 1
        else colours[other] = ((colours[other] as number) + mix(actor, 0x51ed27)) | 0
      }
    }
    for (let at = 0; at < this.#naming.length; at++) {
      const { cell, places } = this.#naming[at] as Slot
      const raw = readCell(row, cell)
      if (raw === 0) continue
      forEachNamed(raw, places as Places, (member, slot) => {
        colours[member] = ((colours[member] as number) + mix(mix(at, slot), 0x2545f49)) | 0
        this.#connected[member] = 1
      })
    }
  }

  /** What a field of a member says, other members' names left out. */
  #ownShape(raw: number, places: Places, member: number): number {
    if (raw === 0) return 0
    let shape = places.form === 'one' ? 1 : raw & ~places.mask
    let isOther = places.form === 'one'
    forEachNamed(raw, places, (named, slot) => {
      isOther = false
      if (named === member) shape = mix(shape, slot + 3)
      else {
        shape = (shape + mix(this.names.setOf[named] as number, slot + 0x10000)) | 0
        this.#connected[named] = 1
        this.#connected[member] = 1
      }
    })
    return isOther ? mix(raw, 7) : shape
  }

  /** Members' colours take in those of the members that they name, and that name them. */
  #refine(row: Int32Array): void {
    const { names } = this
    const colours = this.#colours
    const next = this.#next
    next.set(colours)
    const connect = (from: number, to: number, how: number): void => {
      next[from] = ((next[from] as number) + mix(mix(how, 1), colours[to] as number)) | 0
      next[to] = ((next[to] as number) + mix(mix(how, 2), colours[from] as number)) | 0
    }
    for (let member = 0; member < names.count; member++) {
      const slots = this.#own[member] as readonly Slot[]
      for (let slot = 0; slot < slots.length; slot++) {
        const { cell, places } = slots[slot] as Slot
        if (places === null) continue
        const raw = readCell(row, cell)
        if (raw !== 0)
          forEachNamed(
            raw,
            places,
            (named, position) => named !== member && connect(member, named, slot * 64 + position),
          )
      }
    }
    for (let actor = 0; actor < this.#actors; actor++) {
      const member = names.memberOfActor[actor] as number
      if (member < 0) continue
      for (const other of this.localNames.mentions(actor, this.#locals.id(row, actor)).members)
        connect(member, other, -1)
    }
    for (let member = 0; member < names.count; member++)
      colours[member] = mix(names.setOf[member] as number, next[member] as number)
  }

  /** Whether two members of a set have one colour, and something that names them might tell them apart. */
  #hasTies(): boolean {
    const { setOf, count } = this.names
    for (let a = 0; a < count; a++) {
      for (let b = a + 1; b < count && setOf[a] === setOf[b]; b++)
        if (this.#compare(a, b) === 0 && this.#matters(a, b)) return true
    }
    return false
  }

  /** Whether exchanging two members of one colour may change the state. */
  #matters(a: number, b: number): boolean {
    return this.#connected[a] === 1 || this.#connected[b] === 1
  }

  /** Numbers members by colour within their sets; returns the classes of tied members whose order may matter. */
  #rank(image: Int32Array): number[][] {
    const { firstOf, sets } = this.names
    const classes: number[][] = []
    for (let set = 0; set < sets.length; set++) {
      const first = firstOf[set] as number
      const size = (sets[set] as { members: readonly unknown[] }).members.length
      for (let member = first; member < first + size; member++) {
        let rank = first
        for (let other = first; other < first + size; other++) {
          const order = this.#compare(other, member)
          if (order < 0 || (order === 0 && other < member)) rank++
        }
        image[member] = rank
      }
      for (let member = first; member < first + size; member++) {
        const tied: number[] = []
        for (let other = first; other < first + size; other++) if (this.#compare(other, member) === 0) tied.push(other)
        if (tied.length > 1 && tied[0] === member && tied.some((one) => this.#connected[one] === 1)) classes.push(tied)
      }
    }
    return classes
  }

  #renameInto(made: Int32Array, row: Int32Array, image: Int32Array): void {
    made.set(row)
    this.#renameFields(made, row, image)
    const { packing } = this.#locals
    for (let actor = 0; actor < this.#actors; actor++) {
      const to = this.names.actor(actor, image)
      const id = this.localNames.rename(actor, this.#locals.id(row, actor), image)
      if ((id & ~(packing.locals[to] as Cell).mask) !== 0)
        throw new PackingFullError('more local states than their bits can number')
      this.#locals.set(made, to, id)
    }
  }

  #renameFields(made: Int32Array, row: Int32Array, image: Int32Array): void {
    for (let member = 0; member < this.#own.length; member++) {
      const from = this.#own[member] as readonly Slot[]
      const to = this.#own[image[member] as number] as readonly Slot[]
      for (let slot = 0; slot < from.length; slot++) {
        const { cell, places } = from[slot] as Slot
        const raw = readCell(row, cell)
        writeCell(made, (to[slot] as Slot).cell, places === null ? raw : renamed(raw, places, image))
      }
    }
    for (const { cell, places } of this.#naming) {
      const raw = readCell(row, cell)
      if (raw !== 0) writeCell(made, cell, renamed(raw, places as Places, image))
    }
  }
}
