import type { Field, Naming } from '../../model/field.ts'
import type { System } from '../state/system.ts'
import type { AlikeSet } from './alike.ts'

/** Where each member stands in a list that fields name things of. */
export interface Places {
  readonly form: Naming['form']
  /** By place: whose the thing there is, a member or -1; and its position among the member's objects. */
  readonly memberAt: Int32Array
  readonly slotAt: Int32Array
  /** By member and position among its objects, `slots` of them: the place. */
  readonly placeOf: Int32Array
  readonly slots: number
  /** Of a set: mask of the places of members. */
  readonly mask: number
}

/** A field that belongs to a member. */
export interface OwnField {
  readonly field: Field
  readonly member: number
  /** Position among the member's fields. */
  readonly slot: number
  readonly places: Places | null
}

/** An object that belongs to a member. */
export interface OwnObject {
  readonly member: number
  /** Position among the member's objects. */
  readonly slot: number
}

/**
 * All that renaming interchangeable things touches. Members of all sets are numbered through; a renaming is an array
 * `image` that gives each member's new number, within its set.
 */
export class Names {
  readonly sets: readonly AlikeSet[]
  /** How many members there are. */
  readonly count: number
  /** By member: its set, and by set: its first member. */
  readonly setOf: Int32Array
  readonly firstOf: readonly number[]
  /** By actor: the member it is, or -1; and the reverse. */
  readonly memberOfActor: Int32Array
  readonly actorOfMember: Int32Array
  readonly own: readonly OwnField[]
  /** Fields of no one that name members. */
  readonly naming: readonly { readonly field: Field; readonly places: Places }[]
  /** By member and slot: ids of its fields. */
  readonly fieldIds: readonly (readonly number[])[]
  /** By number of object, and of function: whose it is. */
  readonly objects: ReadonlyMap<number, OwnObject>
  readonly functions: ReadonlyMap<number, OwnObject>
  /** By member and slot: numbers of its objects, and of its functions. */
  readonly objectNumbers: readonly (readonly number[])[]
  readonly functionNumbers: readonly (readonly number[])[]
  readonly #ownOf: readonly (OwnField | undefined)[]
  readonly #placesOf: readonly (Places | null)[]
  readonly #placesOfNaming: readonly (Places | null)[]

  constructor(sets: readonly AlikeSet[], system: System) {
    this.sets = sets
    const members = sets.flatMap((set, number) => set.members.map((member) => ({ ...member, set: number })))
    this.count = members.length
    this.setOf = Int32Array.from(members, ({ set }) => set)
    this.firstOf = sets.map((_, number) => members.findIndex(({ set }) => set === number))
    this.memberOfActor = Int32Array.from(system.actors, (actor) =>
      members.findIndex((member) => member.actor === actor),
    )
    this.actorOfMember = Int32Array.from(members, ({ actor }) => actor?.id ?? -1)
    this.objectNumbers = members.map(({ objects }) => objects.map((object) => system.objects.indexOf(object)))
    this.functionNumbers = members.map(({ objects }) =>
      objects.map((object) => system.runtime.functionIndex.get(object) ?? -1),
    )
    this.objects = ownersOf(this.objectNumbers)
    this.functions = ownersOf(this.functionNumbers)
    this.fieldIds = members.map(({ fields }) => fields.map(({ id }) => id))
    const { fields } = system.machine.memory
    const owners = new Map(
      members.flatMap(({ objects }, member) => objects.map((object, slot) => [object, { member, slot }] as const)),
    )
    const slots = Math.max(0, ...members.map(({ objects }) => objects.length))
    const { numbers, all } = system.namings
    this.#placesOfNaming = all.map(
      (naming) =>
        naming &&
        placesIn(
          naming.target().instances(system.machine.memory) as readonly object[],
          naming.form,
          owners,
          slots,
          this.count,
        ),
    )
    this.#placesOf = numbers.map((naming) => this.#placesOfNaming[naming] ?? null)
    this.own = members.flatMap((member, number) =>
      member.fields.map((field, slot) => ({ field, member: number, slot, places: this.#placesOf[field.id] ?? null })),
    )
    const ownOf: (OwnField | undefined)[] = []
    for (const own of this.own) ownOf[own.field.id] = own
    this.#ownOf = ownOf
    this.naming = fields.flatMap((field) => {
      const places = this.#placesOf[field.id]
      return places && !ownOf[field.id] ? [{ field, places }] : []
    })
  }

  /** The field that a field becomes. */
  field(id: number, image: Int32Array): number {
    const own = this.#ownOf[id]
    return own ? (this.fieldIds[image[own.member] as number]?.[own.slot] as number) : id
  }

  /** The member that a field belongs to, if it does. */
  ownerOf(id: number): readonly number[] {
    const own = this.#ownOf[id]
    return own ? [own.member] : []
  }

  /** Members that a field belongs to, or that a raw value of it names. */
  membersOf(id: number, raw: number): readonly number[] {
    const found = [...this.ownerOf(id)]
    const places = this.#placesOf[id]
    if (places && raw !== 0) forEachNamed(raw, places, (member) => found.push(member))
    return found
  }

  /** What a raw value of a field becomes. */
  raw(id: number, raw: number, image: Int32Array): number {
    const places = this.#placesOf[id]
    return places ? renamed(raw, places, image) : raw
  }

  /** The number of the object that an object becomes. */
  object(number: number, image: Int32Array): number {
    const own = this.objects.get(number)
    return own ? (this.objectNumbers[image[own.member] as number]?.[own.slot] as number) : number
  }

  /** The number of the function that a function becomes. */
  function(number: number, image: Int32Array): number {
    const own = this.functions.get(number)
    return own ? (this.functionNumbers[image[own.member] as number]?.[own.slot] as number) : number
  }

  /** The actor that an actor becomes. */
  actor(id: number, image: Int32Array): number {
    const member = this.memberOfActor[id] as number
    return member < 0 ? id : (this.actorOfMember[image[member] as number] as number)
  }

  /** The same by the number of a naming. */
  placesOfNaming(naming: number): Places | null {
    return this.#placesOfNaming[naming] ?? null
  }

  /** Where members stand in the list that a field's values name things of; null when none do. */
  places(field: number): Places | null {
    return this.#placesOf[field] ?? null
  }
}

function placesIn(
  list: readonly object[],
  form: Naming['form'],
  owners: ReadonlyMap<object, OwnObject>,
  slots: number,
  members: number,
): Places | null {
  const memberAt = Int32Array.from(list, (object) => owners.get(object)?.member ?? -1)
  if (memberAt.every((member) => member < 0)) return null
  const slotAt = Int32Array.from(list, (object) => owners.get(object)?.slot ?? -1)
  const placeOf = new Int32Array(members * slots).fill(-1)
  memberAt.forEach((member, place) => member >= 0 && (placeOf[member * slots + (slotAt[place] as number)] = place))
  const mask = memberAt.reduce((bits, member, place) => (member >= 0 ? bits | (1 << place) : bits), 0)
  return { form, memberAt, slotAt, placeOf, slots, mask }
}

function ownersOf(numbers: readonly (readonly number[])[]): Map<number, OwnObject> {
  return new Map(
    numbers.flatMap((slots, member) =>
      slots.flatMap((number, slot) => (number < 0 ? [] : [[number, { member, slot }] as const])),
    ),
  )
}

/** What a raw value that names members becomes. */
export function renamed(raw: number, places: Places, image: Int32Array): number {
  if (places.form === 'one') return raw === 0 ? 0 : placeAfter(raw - 1, places, image) + 1
  let set = raw & ~places.mask
  for (let left = raw & places.mask; left !== 0; left &= left - 1)
    set |= 1 << placeAfter(31 - Math.clz32(left & -left), places, image)
  return set
}

function placeAfter(place: number, { memberAt, slotAt, placeOf, slots }: Places, image: Int32Array): number {
  const member = memberAt[place] as number
  return member < 0 ? place : (placeOf[(image[member] as number) * slots + (slotAt[place] as number)] as number)
}

/** Calls `visit` with each member that a raw value names, and the position among its objects of what is named. */
export function forEachNamed(raw: number, places: Places, visit: (member: number, slot: number) => void): void {
  const { form, memberAt, slotAt, mask } = places
  if (form === 'one') {
    const member = memberAt[raw - 1] as number
    if (member >= 0) visit(member, slotAt[raw - 1] as number)
    return
  }
  for (let left = raw & mask; left !== 0; left &= left - 1) {
    const place = 31 - Math.clz32(left & -left)
    visit(memberAt[place] as number, slotAt[place] as number)
  }
}

/** The renaming that exchanges two members of a set, given by their places in it. */
export function exchange({ count, firstOf }: Names, set: number, a: number, b: number): Int32Array {
  const first = firstOf[set] as number
  const image = Int32Array.from({ length: count }, (_, member) => member)
  image[first + a] = first + b
  image[first + b] = first + a
  return image
}
