import type { LocalCodec } from '../state/local-codec.ts'
import type { Mentions } from '../state/local-form.ts'
import type { LocalStates } from '../state/local-states.ts'
import { OBJECT } from '../state/references.ts'
import { mix } from './mix.ts'
import { type Names, type OwnObject, forEachNamed, renamed } from './names.ts'

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
  /** By actor and number of the local state. */
  readonly #mentions: LocalMentions[][]
  /** By actor and number: by the new numbers of the members mentioned, the number of what it becomes. */
  readonly #renamed: Map<number | string, number>[][]

  constructor(names: Names, codec: LocalCodec, locals: LocalStates) {
    this.#names = names
    this.#codec = codec
    this.#locals = locals
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

  /** Where an encoding mentions things: what it takes to decode it, for several questions at once. */
  mentioned(code: Int32Array): Mentions {
    return this.#codec.mentions(code)
  }

  /** Members that an encoding mentions. */
  membersIn(code: Int32Array, { objects, functions, logged }: Mentions): readonly number[] {
    const found: number[] = []
    const add = (own: OwnObject | undefined): void => {
      if (own) found.push(own.member)
    }
    for (const at of objects) add(this.#names.objects.get(code[at] as number))
    for (const at of functions) add(this.#names.functions.get(code[at] as number))
    for (const at of logged) {
      const [value, naming] = [code[at] as number, code[at + 1] as number]
      if (naming === OBJECT) add(this.#names.objects.get(value))
      const places = naming === OBJECT ? null : this.#names.placesOfNaming(naming)
      if (places && value !== 0) forEachNamed(value, places, (member) => found.push(member))
    }
    return found
  }

  /** The number of the local state, of the actor that `actor` becomes, that a local state becomes. */
  rename(actor: number, id: number, image: Int32Array): number {
    const { members, any } = this.mentions(actor, id)
    const self = this.#names.memberOfActor[actor] as number
    if (!any && (self < 0 || image[self] === self)) return id
    let key: number | string = self < 0 ? 0 : (image[self] as number)
    if (members.length <= 6 && this.#names.count <= 64)
      for (const member of members) key = key * 64 + (image[member] as number)
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
  code(code: Int32Array, image: Int32Array, { objects, functions, logged } = this.#codec.mentions(code)): Int32Array {
    const made = Int32Array.from(code)
    for (const at of objects) made[at] = this.#names.object(made[at] as number, image)
    for (const at of functions) made[at] = this.#names.function(made[at] as number, image)
    for (const at of logged) made[at] = this.#logged(made[at] as number, made[at + 1] as number, image)
    return made
  }

  #logged(value: number, naming: number, image: Int32Array): number {
    if (naming === OBJECT) return this.#names.object(value, image)
    const places = this.#names.placesOfNaming(naming)
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
    const mentionOwn = (at: number, own: OwnObject | undefined): void => {
      if (own) mention(at, own.member, own.slot)
    }
    const { objects, functions, logged } = this.#codec.mentions(code)
    for (const at of objects) mentionOwn(at, this.#names.objects.get(code[at] as number))
    for (const at of functions) mentionOwn(at, this.#names.functions.get(code[at] as number))
    for (const at of logged) {
      const [value, naming] = [code[at] as number, code[at + 1] as number]
      if (naming === OBJECT) mentionOwn(at, this.#names.objects.get(value))
      const places = naming === OBJECT ? null : this.#names.placesOfNaming(naming)
      if (!places || value === 0) continue
      forEachNamed(value, places, (member, slot) => mention(at, member, slot))
      if (places.form === 'set') shape[at] = value & ~places.mask // it has no order: who is in it does not belong to its shape
    }
    return { shape: hashOf(shape), members: Int32Array.from(members), any }
  }
}

function hashOf(words: Int32Array): number {
  let hash = words.length
  for (let i = 0; i < words.length; i++) hash = mix(hash, words[i] as number)
  return hash
}
