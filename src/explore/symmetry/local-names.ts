import type { LocalCodec } from '../encoding.ts'
import type { LocalStates } from '../local-states.ts'
import { type Namings, OBJECT } from '../namings.ts'
import { type Names, renamed } from './names.ts'
import { mix } from './mix.ts'

/** What a local state says of members. */
export interface LocalMentions {
  /** Hash of what it says with the members' names left out: the same for corresponding local states of all actors. */
  readonly shape: number
  /** Members other than the actor itself, in order of mention, one after another of each mention. */
  readonly members: Int32Array
  /** Whether it mentions any member at all, the actor itself included. */
  readonly any: boolean
}

/** The members that local states mention, and what local states become when members are renamed. One a thread. */
export class LocalNames {
  readonly #names: Names
  readonly #codec: LocalCodec
  readonly #locals: LocalStates
  readonly #namings: Namings
  /** By actor and number of the local state. */
  readonly #mentions: LocalMentions[][]
  /** By actor and number: by the new numbers of the members mentioned, the number of what it becomes. */
  readonly #renamed: Map<number | string, number>[][]

  constructor(names: Names, codec: LocalCodec, locals: LocalStates, namings: Namings) {
    this.#names = names
    this.#codec = codec
    this.#locals = locals
    this.#namings = namings
    this.#mentions = Array.from(names.memberOfActor, () => [])
    this.#renamed = Array.from(names.memberOfActor, () => [])
  }

  /** What a local state says of members. */
  mentions(actor: number, id: number): LocalMentions {
    const known = this.#mentions[actor]?.[id]
    if (known) return known
    const found = this.#look(actor, this.#locals.blob(actor, id))
    ;(this.#mentions[actor] as LocalMentions[])[id] = found
    return found
  }

  /** The number of the local state, of the actor that `actor` becomes, that a local state becomes. */
  rename(actor: number, id: number, image: Int32Array): number {
    const { members, any } = this.mentions(actor, id)
    const self = this.#names.memberOfActor[actor] as number
    if (!any && (self < 0 || image[self] === self)) return id
    let key: number | string = self < 0 ? 0 : (image[self] as number)
    if (members.length <= 6 && this.#names.count <= 64) for (const member of members) key = key * 64 + (image[member] as number)
    else key = [key, ...Array.from(members, (member) => image[member])].join()
    const row = (this.#renamed[actor] ??= [])
    const known = (row[id] ??= new Map()).get(key)
    if (known !== undefined) return known
    const target = this.#names.actor(actor, image)
    const made = this.#locals.intern(target, this.code(this.#locals.blob(actor, id), image))
    ;(row[id] as Map<number | string, number>).set(key, made)
    return made
  }

  /** What an encoding becomes. */
  code(code: ArrayLike<number>, image: Int32Array): Int32Array {
    const made = Int32Array.from(code)
    const { objects, functions, logged } = this.#codec.mentions(made)
    for (const at of objects) made[at] = this.#names.object(made[at] as number, image)
    for (const at of functions) made[at] = this.#names.function(made[at] as number, image)
    for (const at of logged) made[at] = this.#logged(made[at] as number, made[at + 1] as number, image)
    return made
  }

  #logged(value: number, naming: number, image: Int32Array): number {
    if (naming === OBJECT) return this.#names.object(value, image)
    const field = this.#namings.examples[naming]
    const places = field ? this.#names.places(field.id) : null
    return places ? renamed(value, places, image) : value
  }

  #look(actor: number, code: Int32Array): LocalMentions {
    const self = this.#names.memberOfActor[actor] as number
    const shape = code.slice()
    const members: number[] = []
    let any = false
    const mention = (at: number, member: number, slot: number): void => {
      any = true
      shape[at] = member === self ? -1 - slot : ((this.#names.setOf[member] as number) << 16) + slot + (1 << 24)
      if (member !== self) members.push(member)
    }
    const { objects, functions, logged } = this.#codec.mentions(code)
    for (const at of objects) this.#mentioned(this.#names.objects.get(code[at] as number), at, mention)
    for (const at of functions) this.#mentioned(this.#names.functions.get(code[at] as number), at, mention)
    for (const at of logged) this.#lookAtLogged(code, at, shape, mention)
    return { shape: hashOf(shape), members: Int32Array.from(members), any }
  }

  #mentioned(own: { readonly member: number; readonly slot: number } | undefined, at: number, mention: (at: number, member: number, slot: number) => void): void {
    if (own) mention(at, own.member, own.slot)
  }

  #lookAtLogged(code: Int32Array, at: number, shape: Int32Array, mention: (at: number, member: number, slot: number) => void): void {
    const naming = code[at + 1] as number
    if (naming === OBJECT) {
      this.#mentioned(this.#names.objects.get(code[at] as number), at, mention)
      return
    }
    const field = this.#namings.examples[naming]
    const places = field ? this.#names.places(field.id) : null
    const value = code[at] as number
    if (!places || value === 0) return
    if (places.form === 'one') {
      const member = places.memberAt[value - 1] as number
      if (member >= 0) mention(at, member, places.slotAt[value - 1] as number)
      return
    }
    for (let left = value & places.mask; left !== 0; left &= left - 1) {
      const place = 31 - Math.clz32(left & -left)
      mention(at, places.memberAt[place] as number, places.slotAt[place] as number)
    }
    shape[at] = value & ~places.mask // a set has no order: who is in it does not belong to its shape
  }
}

function hashOf(words: Int32Array): number {
  let hash = words.length
  for (let i = 0; i < words.length; i++) hash = mix(hash, words[i] as number)
  return hash
}

/** Compares the contents of two encodings. */
export function compareCodes(a: Int32Array, b: Int32Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = (a[i] as number) - (b[i] as number)
    if (order !== 0) return order
  }
  return a.length - b.length
}

