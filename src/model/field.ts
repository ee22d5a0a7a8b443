/**
 * How accesses to a field take part in steps (docs/soundness.md, "Steps"):
 * - `plain`: race-checked, several may share a step;
 * - `volatile`: every access is atomic and a step of its own;
 * - `published`: every write is atomic and a step of its own, plain reads are race-checked against
 *   writes, and `readOnce` reads are atomic and deliberately unchecked (Linux: WRITE_ONCE/READ_ONCE);
 * - `internal`: part of a synchronising object, touched only by its operations;
 * - `event`: like `volatile`, for the inside of objects that effects may touch (wait channels); not shown in traces.
 */
export type AccessMode = 'plain' | 'volatile' | 'published' | 'internal' | 'event'

/** How a field's raw values name objects of a list: `one` object by its place, from 1 (0: none), or a `set` with a bit for each object. */
export interface Naming {
  /** Whether a value names one object or a set of objects. */
  readonly form: 'one' | 'set'
  /** The list of the objects that it names. */
  readonly target: () => Referable<unknown>
}

/** A field's range and coding: values of type T as unsigned integers of a fixed number of bits. */
export interface FieldType<T> {
  /** Words for messages, such as `u4` or `ref(page)`. */
  readonly describe: string
  /** The accesses that it allows without a lock. */
  readonly access: AccessMode
  /** Value of a field no one initialised. */
  readonly initial: T
  /** Bits needed, once the machine is complete (the width of a reference depends on the instances made). */
  bits(placed: Placed): number
  /** The raw value, or -1 where `value` is out of range or of another type. */
  encode(value: unknown, placed: Placed): number
  /** The value that a raw value stands for. */
  decode(raw: number, placed: Placed): T
  /** The text that traces show instead of the value. */
  show?(value: T): string
  /** The objects that its values name, if any: their names change when interchangeable members are renamed. */
  readonly names?: Naming
  /** Whether the actors that its values name hold the object or wait for it, for reports. */
  readonly role?: Role
  /** With role `holds`: whether the lock's waiters spin, so that who holds it must not sleep. */
  readonly spins?: boolean
}

/** The relation between an object and the actors that its field names. */
export type Role = 'holds' | 'waits'

/** One packed cell of shared memory. */
export interface Field {
  /** Index in the machine's list of fields. */
  readonly id: number
  /** Name in traces, such as `entry[1].inTransition`. */
  readonly name: string
  readonly type: FieldType<unknown>
  readonly access: AccessMode
  /** The liveness cell of the pooled instance that the field belongs to, if it does. */
  readonly alive: Field | null
  /** Of a liveness cell: the name of the instance whose life it tells; else null. */
  readonly lifeOf: string | null
}

function whole(describe: string, min: number, max: number, initial: number): FieldType<number> {
  const span = max - min
  return {
    describe,
    access: 'plain',
    initial,
    bits: () => Math.max(1, 32 - Math.clz32(span)),
    encode: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? (value - min) >>> 0 : -1,
    decode: (raw) => (raw >>> 0) + min,
  }
}

/**
 * An unsigned field of `bits` bits.
 * @throws RangeError when `bits` is not a whole number from 1 to 32
 */
export function u(bits: number): FieldType<number> {
  if (!Number.isInteger(bits) || bits < 1 || bits > 32) throw new RangeError(`u(${bits}): a field has 1 to 32 bits`)
  return whole(`u${bits}`, 0, 2 ** bits - 1, 0)
}

/** One bit. */
export const u1: FieldType<number> = u(1)
/** Two bits: 0 to 3. */
export const u2: FieldType<number> = u(2)
/** Three bits: 0 to 7. */
export const u3: FieldType<number> = u(3)
/** Four bits: 0 to 15. */
export const u4: FieldType<number> = u(4)
/** Eight bits: 0 to 255. */
export const u8: FieldType<number> = u(8)
/** Sixteen bits: 0 to 65,535. */
export const u16: FieldType<number> = u(16)

/**
 * A whole number from `min` to `max`, both included; starts at `min`, or at 0 when that is within.
 * @throws RangeError when the range is empty or wider than 2^32 - 1
 * @example
 * const Counter = struct('counter', { n: range(1, 3) })
 * const counter = m.struct(Counter, 'counter')
 * m.thread(function* counts() {
 *   counter.n = 3 // 4 would be a violation
 * })
 */
export function range(min: number, max: number): FieldType<number> {
  if (!Number.isInteger(min) || !Number.isInteger(max) || max < min || max - min > 0xffffffff) {
    throw new RangeError(`range(${min}, ${max}): give two whole numbers, the smaller first, at most 2^32 - 1 apart`)
  }
  return whole(`range(${min}, ${max})`, min, max, min <= 0 && max >= 0 ? 0 : min)
}

/** True or false. */
export const bool: FieldType<boolean> = {
  describe: 'bool',
  access: 'plain',
  initial: false,
  bits: () => 1,
  encode: (value) => (value === true ? 1 : value === false ? 0 : -1),
  decode: (raw) => raw !== 0,
}

/**
 * One of the given words; starts as the first.
 * @throws RangeError without words
 * @example
 * const Thing = struct('thing', { kind: oneOf('anonymous', 'file') })
 * const thing = m.struct(Thing, 'thing')
 * m.thread(function* maps() {
 *   thing.kind = 'file'
 * })
 */
export function oneOf<const W extends readonly string[]>(...words: W): FieldType<W[number]> {
  if (words.length === 0) throw new RangeError('oneOf(): give at least one word')
  return {
    describe: `oneOf(${words.join(', ')})`,
    access: 'plain',
    initial: words[0] as W[number],
    bits: () => Math.max(1, 32 - Math.clz32(words.length - 1)),
    encode: (value) => words.indexOf(value as string),
    decode: (raw) => words[raw] as W[number],
  }
}

/** The instances made so far, which references may name. */
export interface Placed {
  /** Those of a type, in order of creation. */
  instancesOf<T>(type: Referable<T>): T[]
}

/** A target of references: a struct type, or the machine's actors or CPUs. */
export interface Referable<T> {
  /** The word for such an object in messages. */
  readonly name: string
  /** All instances of the machine in order of creation. */
  instances(placed: Placed): readonly T[]
}

/**
 * A reference to an instance of `target`, or null (the initial value); prints as the instance's name.
 * Pass a function where the type is declared later.
 *
 * @example
 * const Entry = struct('entry', { page: ref(Page) })
 * const page = m.struct(Page, 'page')
 * const entry = m.struct(Entry, 'entry')
 * m.thread(function* maps() {
 *   entry.page = page
 * })
 */
export function ref<T>(target: Referable<T> | (() => Referable<T>)): FieldType<T | null> {
  const resolve = (): Referable<T> => (typeof target === 'function' ? target() : target)
  return {
    get describe() {
      return `ref(${resolve().name})`
    },
    access: 'plain',
    initial: null,
    bits: (memory) => Math.max(1, 32 - Math.clz32(resolve().instances(memory).length)),
    encode: (value, memory) =>
      value === null
        ? 0
        : resolve()
            .instances(memory)
            .indexOf(value as T) + 1 || -1,
    decode: (raw, memory) => (raw === 0 ? null : (resolve().instances(memory)[raw - 1] as T)),
    names: { form: 'one', target: resolve },
  }
}

/** Most members that a {@link setOf} can name: a bit each. */
const MAX_MEMBERS = 30

/**
 * A set of instances of `target` as a mask: bit i stands for the i-th instance made (of actors: for the actor with
 * id i). Starts empty.
 *
 * @example
 * const Loaded = struct('loaded', { by: volatile(setOf(actors)) })
 * const loaded = m.struct(Loaded, 'loaded')
 * m.thread(function* loads() {
 *   loaded.by |= 1 << m.self.id
 * })
 */
export function setOf(target: Referable<unknown>): FieldType<number> {
  const count = (placed: Placed): number => {
    const { length } = target.instances(placed)
    if (length > MAX_MEMBERS)
      throw new RangeError(`setOf(${target.name}): a set names at most ${MAX_MEMBERS}, and there are ${length}`)
    return length
  }
  return {
    describe: `setOf(${target.name})`,
    access: 'plain',
    initial: 0,
    bits: (memory) => Math.max(1, count(memory)),
    encode: (value, memory) =>
      typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** count(memory) ? value : -1,
    decode: (raw) => raw,
    names: { form: 'set', target: () => target },
  }
}

function withAccess<T>(type: FieldType<T>, access: AccessMode): FieldType<T> {
  return {
    get describe() {
      return type.describe
    },
    access,
    initial: type.initial,
    bits: (memory) => type.bits(memory),
    encode: (value, memory) => type.encode(value, memory),
    decode: (raw, memory) => type.decode(raw, memory),
    ...(type.show && { show: (value: T) => (type.show as (shown: T) => string)(value) }),
    ...(type.names && { names: type.names }),
    ...(type.role && { role: type.role }),
    ...(type.spins && { spins: true }),
  }
}

/**
 * The same field type, of actors that hold the object it belongs to: reports show for how long, and who ends must hold none.
 *
 * @param options `spins`: its waiters spin, so that its holders must not sleep
 * @example
 * const Busy = struct('busy', { by: event(holding(ref(actors))) })
 * const busy = m.struct(Busy, 'busy')
 * m.thread(function* takes() {
 *   yield* atomically(() => {
 *     busy.by = m.self
 *   })
 *   yield* atomically(() => {
 *     busy.by = null
 *   })
 * })
 */
export function holding<T>(type: FieldType<T>, options: { readonly spins?: boolean } = {}): FieldType<T> {
  return { ...withAccess(type, type.access), role: 'holds', ...(options.spins && { spins: true }) }
}

/** The same field type, of actors that wait for the object it belongs to: reports show them as its queue. */
export function queueing<T>(type: FieldType<T>): FieldType<T> {
  return { ...withAccess(type, type.access), role: 'waits' }
}

/** The same field type, its values shown in traces as `show` says. */
export function shown<T>(type: FieldType<T>, show: (value: T) => string): FieldType<T> {
  return { ...withAccess(type, type.access), show }
}

/**
 * The same field type with every access atomic and a step of its own.
 *
 * @example
 * const Flag = struct('flag', { raised: volatile(bool) })
 * const flag = m.struct(Flag, 'flag')
 * m.cpus(2, () => function* raises() {
 *   flag.raised = true // a step of its own, not race-checked
 * })
 */
export function volatile<T>(type: FieldType<T>): FieldType<T> {
  return withAccess(type, 'volatile')
}

/**
 * The same field type for data written under a lock and also read without it by `readOnce` (see {@link AccessMode}).
 *
 * @example
 * const Slot = struct('slot', { page: published(ref(Page)) })
 * const [slot, page] = [m.struct(Slot, 'slot'), m.struct(Page, 'page')]
 * m.thread(function* publishes() {
 *   page.v = 1
 *   slot.page = page
 * })
 * m.thread(function* looks() {
 *   yield* readOnce(() => slot.page)
 * })
 */
export function published<T>(type: FieldType<T>): FieldType<T> {
  return withAccess(type, 'published')
}

/** The same field type for the inside of a synchronising object: only its operations may touch it. */
export function internal<T>(type: FieldType<T>): FieldType<T> {
  return withAccess(type, 'internal')
}

/** The same field type for the inside of a synchronising object that effects may touch. */
export function event<T>(type: FieldType<T>): FieldType<T> {
  return withAccess(type, 'event')
}

/** The same field type with another initial value. */
export function starting<T>(type: FieldType<T>, initial: T): FieldType<T> {
  return { ...withAccess(type, type.access), initial }
}
