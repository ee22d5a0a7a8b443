import { Refusal, type SourcePlace } from '../source/refusal.ts'

/** What a walk gives of each place of a list: what lies there, its number, or both. */
export type View = 'values' | 'keys' | 'entries'

/** How a walk is stored: a list and how far it has come, as a point finds it. */
export interface StoredWalk {
  readonly view: View
  readonly index: number
  readonly list: readonly unknown[]
  /** For for-in: the object whose keys the list holds; null: what is walked is the list. */
  readonly object: object | null
}

/** A loop of for-of or for-in in progress, of which lowered code takes one step a turn. Arrays are followed as they change, like JavaScript's own iterators. */
export class Walk {
  /** What the last step came to. */
  value: unknown = undefined
  readonly #view: View
  readonly #object: object | null
  #list: readonly unknown[]
  #index: number
  /** Where what is walked is no list: its iterator. */
  #iterator: Iterator<unknown> | null = null
  /** Where in the code the loop is. */
  readonly #at: SourcePlace | null

  private constructor(
    { view, index, list, object }: StoredWalk,
    at: SourcePlace | null,
    iterator: Iterator<unknown> | null,
  ) {
    this.#view = view
    this.#index = index
    this.#list = list
    this.#object = object
    this.#at = at
    this.#iterator = iterator
  }

  /** A walk that was stored. */
  static restored(stored: StoredWalk): Walk {
    return new Walk(stored, null, null)
  }

  /**
   * for-of.
   *
   * @param hasPoint whether the loop has a point in it or is left early: where it only stops before accesses, the lowered
   *   code closes the iterator where an exception ends the loop
   * @throws TypeError for what is not iterable; Refusal for an iterator that would have to be closed
   */
  static over(value: unknown, at: SourcePlace | null, hasPoint = true): Walk {
    if (typeof value === 'string')
      return new Walk({ view: 'values', index: 0, list: [...value], object: null }, at, null)
    if (isList(value)) return new Walk({ view: 'values', index: 0, list: value, object: null }, at, null)
    const make = (value as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator]
    if (typeof make !== 'function')
      throw new TypeError(`${value === null || typeof value !== 'object' ? String(value) : 'object'} is not iterable`)
    const iterator = make.call(value)
    const { return: close } = iterator as Iterator<unknown>
    if (hasPoint && typeof close === 'function') {
      throw new Refusal(
        'a loop with a point in it, or one left early, over an iterator with a return method: collect the items in an array first',
        at,
      )
    }
    return new Walk({ view: 'values', index: 0, list: [], object: null }, at, iterator)
  }

  /** for-of over `value.keys()`, `.values()` or `.entries()`. */
  static view(value: unknown, view: View, at: SourcePlace | null, hasPoint = true): Walk {
    if (isList(value) && value[view] === Array.prototype[view])
      return new Walk({ view, index: 0, list: value, object: null }, at, null)
    return Walk.over((value as Record<View, () => unknown>)[view](), at, hasPoint)
  }

  /** for-in: keys that are deleted before their turn are left out, those added are not seen. */
  static keysOf(value: unknown): Walk {
    const object = value === null || value === undefined ? {} : (Object(value) as object)
    const list: string[] = []
    for (const key in object) list.push(key)
    return new Walk({ view: 'values', index: 0, list, object }, null, null)
  }

  /** Whether it goes on by an iterator, which {@link stored} would empty. */
  get isOpen(): boolean {
    return this.#iterator !== null
  }

  /** Goes on to the next turn; false after the last. */
  step(): boolean {
    if (this.#iterator) return this.#next(this.#iterator)
    while (this.#index < this.#list.length) {
      const index = this.#index++
      const item = this.#list[index]
      if (this.#object !== null && !((item as string) in this.#object)) continue
      this.value = this.#view === 'values' ? item : this.#view === 'keys' ? index : [index, item]
      return true
    }
    this.#end()
    return false
  }

  /** The next item, for an array pattern; undefined after the last. */
  take(): unknown {
    return this.step() ? this.value : undefined
  }

  /** The items that are left. */
  rest(): unknown[] {
    const items: unknown[] = []
    while (this.step()) items.push(this.value)
    return items
  }

  /** An exception ends the loop. What closing throws is dropped: the exception goes on. */
  close(): void {
    try {
      this.#iterator?.return?.()
    } catch {
      // as JavaScript has it
    }
    this.#end()
  }

  #next(iterator: Iterator<unknown>): boolean {
    this.#iterator = null // one that throws is not closed
    const { done, value } = iterator.next()
    if (done === true) this.#end()
    else this.#iterator = iterator
    this.value = value
    return done !== true
  }

  /** A list that grows after its end was reached is not taken up again. */
  #end(): void {
    this.#iterator = null
    this.#list = []
    this.#index = 0
  }

  /**
   * What is to be stored at a point. What is left of a Map, a Set or a string is listed: no one can change it any more,
   * or it could not be stored itself.
   *
   * @throws Refusal where the iterator is another one
   */
  stored(): StoredWalk {
    if (this.#iterator) {
      if (!isDrainable(this.#iterator)) {
        throw new Refusal(
          'a loop with a point in it over an iterator, which cannot be stored: walk the array itself, or collect the items in one first',
          this.#at,
        )
      }
      this.#list = [...(this.#iterator as Iterable<unknown> & Iterator<unknown>)]
      this.#index = 0
      this.#iterator = null
    }
    return { view: this.#view, index: this.#index, list: this.#list, object: this.#object }
  }
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value[Symbol.iterator] === Array.prototype[Symbol.iterator]
}

/** Prototypes of iterators over what cannot change while a point finds them. */
const DRAINABLE: readonly object[] = [new Map().entries(), new Set().values(), ''[Symbol.iterator]()].map(
  (iterator) => Object.getPrototypeOf(iterator) as object,
)

function isDrainable(iterator: Iterator<unknown>): boolean {
  return DRAINABLE.includes(Object.getPrototypeOf(iterator) as object) && !Object.hasOwn(iterator, 'next')
}
