import fc from 'fast-check'

/** The locks of every generated machine; each guards a variable of its own. */
export const LOCKS = ['spin', 'spin-irq', 'spin-preempt', 'rw', 'rw-writers', 'mutex', 'sleep', 'handoff'] as const
/** A lock by its number in {@link LOCKS}. */
export type Lock = number

/** Locks that readers may share. */
const SHARED: readonly Lock[] = [3, 4, 6]
/** Locks that a thread may forget to give back. */
const FORGETTABLE: readonly Lock[] = [0, 5]
/** The mutex whose owner properties look at. */
export const WATCHED: Lock = 5
/** The reader/writer lock that can be upgraded and downgraded. */
export const SLEEP: Lock = 6

/** Number of what only threads that are bound to the first shared CPU touch, with preemption or interrupts off. */
export const PER_CPU = LOCKS.length

/** Variables that only atomic actions touch. */
export const ATOMICS = 2
/** Storage of the pool. */
export const STORAGE = 2

/** A statement of a thread or handler. Variables hold 0 to 3. */
export type Statement =
  | { readonly kind: 'locked' | 'reading'; readonly lock: Lock; readonly body: readonly Statement[] }
  /** Reads what a lock guards, upgrades, and writes it; or gives up. */
  | { readonly kind: 'upgrading'; readonly body: readonly Statement[] }
  /** Writes what a lock guards, downgrades, and reads it. */
  | { readonly kind: 'downgrading'; readonly body: readonly Statement[] }
  | { readonly kind: 'forget'; readonly lock: Lock }
  /** With something off that keeps the first CPU's other threads away, what belongs to that CPU. */
  | { readonly kind: 'perCpu'; readonly what: 'interrupts' | 'preemption'; readonly body: readonly Statement[] }
  /** What the lock guards, which only code that holds it does. */
  | { readonly kind: 'loadOwn' | 'storeOwn'; readonly lock: Lock; readonly value: number }
  | { readonly kind: 'add' | 'load' | 'set'; readonly variable: number; readonly value: number }
  | { readonly kind: 'await'; readonly variable: number; readonly equals: number; readonly set: number }
  | {
      readonly kind: 'quiet'
      readonly what: 'interrupts' | 'preemption'
      readonly body: readonly Statement[]
      readonly forgets: boolean
    }
  | { readonly kind: 'send' | 'free' | 'fill' | 'look' | 'pause' }
  | { readonly kind: 'allocate' }
  | { readonly kind: 'if'; readonly equals: number; readonly body: readonly Statement[] }
  | { readonly kind: 'assert'; readonly equals: number }

/** What is expected of a thread, and where it runs. */
export interface Thread {
  readonly body: readonly Statement[]
  readonly role: 'thread' | 'daemon' | 'endless'
  /** Numbers of the shared CPUs that it may run on; none: it has one of its own. */
  readonly on: readonly number[]
}

/** A property, over an atomic variable, what a lock guards, and who owns the watched mutex. */
export type Property =
  | { readonly form: 'always' | 'atRest'; readonly variable: number; readonly value: number }
  | { readonly form: 'sometimes'; readonly variable: number; readonly value: number }
  | { readonly form: 'owned'; readonly variable: number; readonly value: number }
  | { readonly form: 'invariant'; readonly lock: Lock; readonly over: 'own' | 'atomic'; readonly value: number }

/** A generated machine and what its threads, handler and properties are. */
export interface Program {
  /** Whether all threads are one program, each on a CPU of its own. */
  readonly alike: boolean
  readonly threads: readonly Thread[]
  /** What an interrupt on the first shared CPU runs; null: no one sends any. */
  readonly handler: readonly Statement[] | null
  readonly reuse: 'lowest' | 'lifo' | 'any'
  readonly fallible: boolean
  readonly properties: readonly Property[]
}

const value = fc.nat(3)
const atomicVariable = fc.nat(ATOMICS - 1)

interface Context {
  /** The locks that this program uses: few, so that its threads meet at them. */
  readonly locks: readonly Lock[]
  readonly depth: number
  /** Locks that are held here. */
  readonly held: readonly Lock[]
  /** Of those, locks held for writing. */
  readonly written: readonly Lock[]
  /** Whether this is code that must not sleep: a handler's, or with preemption or interrupts off. */
  readonly spinsOnly: boolean
  /** Whether the thread runs on the first shared CPU only. */
  readonly isBound: boolean
}

function statement(context: Context): fc.Arbitrary<Statement> {
  const { locks, depth, held, written, spinsOnly, isBound } = context
  const own: fc.WeightedArbitrary<Statement>[] = [
    ...written.map((lock) => ({
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('storeOwn' as const), lock: fc.constant(lock), value }),
    })),
    ...held.map((lock) => ({
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('loadOwn' as const), lock: fc.constant(lock), value }),
    })),
  ]
  const simple: fc.WeightedArbitrary<Statement>[] = [
    ...own,
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('add' as const, 'load' as const, 'set' as const),
        variable: atomicVariable,
        value,
      }),
    },
    ...(spinsOnly
      ? []
      : [
          {
            weight: 2,
            arbitrary: fc.record({
              kind: fc.constant('await' as const),
              variable: atomicVariable,
              equals: fc.nat(1),
              set: value,
            }),
          },
        ]),
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('send' as const) }) },
    ...(spinsOnly
      ? []
      : [
          {
            weight: 2,
            arbitrary: fc.record({
              kind: fc.constantFrom('allocate' as const, 'free' as const, 'fill' as const, 'look' as const),
            }),
          },
        ]),
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('assert' as const), equals: fc.constantFrom(1, 2, 3) }) },
  ]
  if (depth === 0) return fc.oneof(...simple)
  const inner = (more: Partial<Context>, most: number): fc.Arbitrary<Statement[]> =>
    fc.array(statement({ ...context, depth: depth - 1, ...more }), { maxLength: most })
  const free = locks.filter((lock) => !held.includes(lock) && (!spinsOnly || lock < 3))
  const forgettable = locks.filter((lock) => FORGETTABLE.includes(lock))
  const nested: fc.WeightedArbitrary<Statement>[] = [
    ...free.map((lock) => ({
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('locked' as const),
        lock: fc.constant(lock),
        body: inner({ held: [...held, lock], written: [...written, lock] }, 3),
      }),
    })),
    ...free
      .filter((lock) => SHARED.includes(lock))
      .map((lock) => ({
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('reading' as const),
          lock: fc.constant(lock),
          body: inner({ held: [...held, lock] }, 2),
        }),
      })),
    ...(free.includes(SLEEP)
      ? [
          {
            weight: 2,
            arbitrary: fc.record({
              kind: fc.constantFrom('upgrading' as const, 'downgrading' as const),
              body: inner({ held: [...held, SLEEP], written: [...written, SLEEP] }, 2),
            }),
          },
        ]
      : []),
    ...(spinsOnly
      ? []
      : [
          ...forgettable.map((lock) => ({
            weight: 1,
            arbitrary: fc.record({ kind: fc.constant('forget' as const), lock: fc.constant(lock) }),
          })),
          {
            weight: 3,
            arbitrary: fc.record({
              kind: fc.constant('quiet' as const),
              what: fc.constantFrom('interrupts' as const, 'preemption' as const),
              body: inner({}, 3),
              forgets: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
            }),
          },
        ]),
    ...(isBound && !held.includes(PER_CPU)
      ? [
          {
            weight: 10,
            arbitrary: fc.record({
              kind: fc.constant('perCpu' as const),
              what: fc.constantFrom('interrupts' as const, 'preemption' as const),
              body: inner({ held: [...held, PER_CPU], written: [...written, PER_CPU], spinsOnly: true }, 3),
            }),
          },
        ]
      : []),
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('if' as const), equals: fc.nat(1), body: inner({}, 2) }) },
  ]
  return fc.oneof(...simple, ...nested)
}

const outside = (locks: readonly Lock[]): Context => ({
  locks,
  depth: 2,
  held: [],
  written: [],
  spinsOnly: false,
  isBound: false,
})
/** What a daemon does over and over: it waits for work, and holds nothing. */
const work = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('await' as const), variable: atomicVariable, equals: fc.nat(2), set: value }),
    fc.record({ kind: fc.constant('send' as const) }),
  ),
  { maxLength: 1 },
)

function thread(context: Context, most: number): fc.Arbitrary<Thread> {
  const on = fc.constantFrom<readonly number[]>([], [0], [0], [1], [0, 1])
  const waits = fc.record({
    kind: fc.constant('await' as const),
    variable: atomicVariable,
    equals: fc.nat(2),
    set: value,
  })
  const bound = fc.record({
    body: fc.array(statement({ ...context, isBound: true }), { minLength: 1, maxLength: most }),
    role: fc.constant('thread' as const),
    on: fc.constant([0]),
  })
  return fc.oneof(
    { weight: 5, arbitrary: bound },
    {
      weight: 6,
      arbitrary: fc.record({
        body: fc.array(statement(context), { minLength: 1, maxLength: most }),
        role: fc.constant('thread' as const),
        on,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        body: fc.tuple(waits, work).map(([first, rest]) => [first, ...rest]),
        role: fc.constant('daemon' as const),
        on,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        body: fc.array(statement({ ...context, depth: 0 }), { maxLength: 1 }),
        role: fc.constant('endless' as const),
        on,
      }),
    },
  )
}

/** A thread that works on what belongs to the first CPU. */
const sharing = (context: Context): fc.Arbitrary<Thread> =>
  fc.record({
    body: fc
      .tuple(
        fc.record({
          kind: fc.constant('perCpu' as const),
          what: fc.constantFrom('interrupts' as const, 'preemption' as const),
          body: fc.array(statement({ ...context, depth: 1, held: [PER_CPU], written: [PER_CPU], spinsOnly: true }), {
            minLength: 1,
            maxLength: 3,
          }),
        }),
        fc.array(statement({ ...context, isBound: true }), { maxLength: 2 }),
      )
      .map(([first, more]) => [first, ...more]),
    role: fc.constant('thread' as const),
    on: fc.constant([0]),
  })

const property = (locks: readonly Lock[]): fc.Arbitrary<Property> =>
  fc.oneof(
    fc.record({
      form: fc.constantFrom('always' as const, 'atRest' as const),
      variable: atomicVariable,
      value: fc.constantFrom(1, 2, 3),
    }),
    fc.record({ form: fc.constant('sometimes' as const), variable: atomicVariable, value }),
    fc.record({ form: fc.constant('owned' as const), variable: atomicVariable, value: fc.constantFrom(1, 2, 3) }),
    fc.record({
      form: fc.constant('invariant' as const),
      lock: fc.constantFrom(...locks),
      over: fc.constantFrom('own' as const, 'atomic' as const),
      value: fc.constantFrom(1, 2, 3),
    }),
  )

/** What the machine is beside its threads, and what must hold. */
function beside(locks: readonly Lock[]): {
  readonly reuse: fc.Arbitrary<Program['reuse']>
  readonly fallible: fc.Arbitrary<boolean>
  readonly properties: fc.Arbitrary<Property[]>
} {
  return {
    reuse: fc.constantFrom('lowest' as const, 'lifo' as const, 'any' as const),
    fallible: fc.boolean(),
    properties: fc.array(property(locks), { minLength: 1, maxLength: 3 }),
  }
}

/** Two or three of the locks. */
const few: fc.Arbitrary<readonly Lock[]> = fc.subarray(
  LOCKS.map((_, lock) => lock),
  { minLength: 2, maxLength: 3 },
)

const different: fc.Arbitrary<Program> = few.map(outside).chain((context) =>
  fc.record({
    alike: fc.constant(false),
    threads: fc.oneof(
      { weight: 3, arbitrary: fc.array(thread(context, 3), { minLength: 2, maxLength: 2 }) },
      { weight: 1, arbitrary: fc.array(sharing(context), { minLength: 2, maxLength: 2 }) },
      { weight: 1, arbitrary: fc.array(thread({ ...context, depth: 1 }, 2), { minLength: 3, maxLength: 3 }) },
    ),
    handler: fc.option(fc.array(statement({ ...context, depth: 1, spinsOnly: true }), { minLength: 1, maxLength: 2 }), {
      freq: 2,
    }),
    ...beside(context.locks),
  }),
)

const alike: fc.Arbitrary<Program> = few
  .map(outside)
  .chain((context) =>
    fc.record({
      count: fc.constantFrom(2, 3),
      body: fc.array(statement({ ...context, depth: 1 }), { minLength: 1, maxLength: 2 }),
      ...beside(context.locks),
    }),
  )
  .map(({ count, body, ...others }) => ({
    alike: true,
    threads: Array.from({ length: count }, () => ({ body, role: 'thread' as const, on: [] })),
    handler: null,
    ...others,
  }))

/** Programs of threads that share CPUs, with a handler, daemons, locks of every kind, a pool, and properties of every form. */
export const scheduled: fc.Arbitrary<Program> = fc.oneof(
  { weight: 4, arbitrary: different },
  { weight: 1, arbitrary: alike },
)
