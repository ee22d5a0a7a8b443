import fc from 'fast-check'

/** A statement of a generated program. Variables hold 0 to 3; `r` are a thread's registers. */
export type Statement =
  | { readonly kind: 'locked'; readonly lock: number; readonly body: readonly Statement[]; readonly guarded: boolean }
  | { readonly kind: 'reading' | 'writing'; readonly lock: number; readonly body: readonly Statement[] }
  | {
      readonly kind: 'tried'
      readonly body: readonly Statement[]
      readonly otherwise: readonly Statement[]
      readonly blocking: boolean
    }
  | { readonly kind: 'load' | 'loadVolatile' | 'loadOnce'; readonly variable: number; readonly register: number }
  /** Reads a volatile variable in a loop without an operation, until it holds something else. */
  | { readonly kind: 'spin'; readonly variable: number; readonly equals: number }
  /** Changes a volatile variable by one expression, or in a plain function. */
  | { readonly kind: 'flip'; readonly variable: number; readonly out: boolean }
  /** Reads two volatile variables in one expression. */
  | { readonly kind: 'sum'; readonly variable: number; readonly register: number; readonly out: boolean }
  | { readonly kind: 'store' | 'storeVolatile' | 'publish'; readonly variable: number; readonly value: number }
  | { readonly kind: 'storeRegister' | 'add'; readonly variable: number; readonly register: number }
  | { readonly kind: 'await' | 'awaitPlain'; readonly variable: number; readonly equals: number; readonly set: number }
  /** Waits for an atomic and a volatile variable at once. */
  | {
      readonly kind: 'awaitBoth'
      readonly variable: number
      readonly equals: number
      readonly other: number
      readonly set: number
    }
  | { readonly kind: 'sleep' | 'wakeAll' | 'wakeOne'; readonly channel: number }
  | {
      readonly kind: 'if'
      readonly register: number
      readonly equals: number
      readonly body: readonly Statement[]
      readonly otherwise: readonly Statement[]
    }
  | { readonly kind: 'repeat'; readonly times: number; readonly body: readonly Statement[] }
  | { readonly kind: 'choose' | 'allocate'; readonly register: number }
  | { readonly kind: 'assert'; readonly register: number; readonly equals: number }
  /** Adds to an atomic variable, and asserts what it is not then. */
  | { readonly kind: 'expect'; readonly variable: number; readonly register: number; readonly equals: number }
  /** In a function of its own, which gets the registers in an object, twice. */
  | { readonly kind: 'call'; readonly body: readonly Statement[] }
  /** A thread's page: any one, the one on the board, or none. */
  | { readonly kind: 'pick' | 'look' | 'show' | 'lose' }
  | { readonly kind: 'mark'; readonly value: number }
  | { readonly kind: 'read' | 'mine'; readonly register: number }

/** A generated program: the statements of each thread. */
export interface GeneratedProgram {
  /** Whether all threads run what the first one does, on CPUs that are alike. */
  readonly alike: boolean
  readonly threads: readonly (readonly Statement[])[]
  /** What a thread repeats forever after its statements; null: it finishes. */
  readonly forever: readonly (readonly Statement[] | null)[]
}

/** How many there are of each thing. */
export const SIZES = {
  mutexes: 2,
  sleepLocks: 1,
  plain: 2,
  atomic: 1,
  volatile: 1,
  published: 1,
  channels: 1,
  registers: 2,
  pages: 2,
  storage: 2,
} as const

const index = (count: number): fc.Arbitrary<number> => fc.nat(count - 1)
const value = fc.nat(3)

function statement(depth: number): fc.Arbitrary<Statement> {
  const simple: fc.WeightedArbitrary<Statement>[] = [
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('load' as const),
        variable: index(SIZES.plain),
        register: index(SIZES.registers),
      }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('store' as const), variable: index(SIZES.plain), value }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('storeRegister' as const),
        variable: index(SIZES.plain),
        register: index(SIZES.registers),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('loadVolatile' as const),
        variable: index(SIZES.volatile),
        register: index(SIZES.registers),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('spin' as const), variable: index(SIZES.volatile), equals: fc.nat(1) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('flip' as const), variable: index(SIZES.volatile), out: fc.boolean() }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('sum' as const),
        variable: index(SIZES.volatile),
        register: index(SIZES.registers),
        out: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('storeVolatile' as const), variable: index(SIZES.volatile), value }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('loadOnce' as const),
        variable: index(SIZES.published),
        register: index(SIZES.registers),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('publish' as const), variable: index(SIZES.published), value }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('add' as const),
        variable: index(SIZES.atomic),
        register: index(SIZES.registers),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('await' as const),
        variable: index(SIZES.atomic),
        equals: fc.nat(1),
        set: value,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('awaitPlain' as const),
        variable: index(SIZES.plain),
        equals: fc.nat(1),
        set: value,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('awaitBoth' as const),
        variable: index(SIZES.atomic),
        equals: fc.nat(1),
        other: fc.nat(1),
        set: value,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('sleep' as const), channel: index(SIZES.channels) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('wakeAll' as const, 'wakeOne' as const),
        channel: index(SIZES.channels),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('choose' as const, 'allocate' as const),
        register: index(SIZES.registers),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('assert' as const),
        register: index(SIZES.registers),
        equals: fc.constantFrom(1, 2, 3),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('expect' as const),
        variable: index(SIZES.atomic),
        register: index(SIZES.registers),
        equals: fc.constantFrom(1, 2, 3),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('pick' as const, 'look' as const, 'show' as const, 'lose' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('mark' as const), value }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('read' as const, 'mine' as const),
        register: index(SIZES.registers),
      }),
    },
  ]
  if (depth === 0) return fc.oneof(...simple)
  const body = statements(depth - 1, 3)
  return fc.oneof(
    ...simple,
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('locked' as const),
        lock: index(SIZES.mutexes),
        body,
        guarded: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('reading' as const, 'writing' as const),
        lock: index(SIZES.sleepLocks),
        body,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('tried' as const),
        body,
        otherwise: statements(0, 1),
        blocking: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('if' as const),
        register: index(SIZES.registers),
        equals: fc.nat(1),
        body,
        otherwise: statements(0, 1),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('call' as const), body }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('repeat' as const), times: fc.constant(2), body: statements(0, 2) }),
    },
  )
}

function statements(depth: number, most: number): fc.Arbitrary<readonly Statement[]> {
  return fc.array(statement(depth), { minLength: 0, maxLength: most })
}

/** Programs of two or three small threads that differ. */
const different: fc.Arbitrary<GeneratedProgram> = fc.record({
  alike: fc.constant(false),
  threads: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.array(fc.array(statement(2), { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 2 }),
    },
    {
      weight: 1,
      arbitrary: fc.array(fc.array(statement(1), { minLength: 1, maxLength: 2 }), { minLength: 3, maxLength: 3 }),
    },
  ),
  forever: fc.array(fc.option(statements(0, 2), { freq: 3 }), { minLength: 3, maxLength: 3 }),
})

/** Programs whose threads all do the same. */
const alike: fc.Arbitrary<GeneratedProgram> = fc
  .record({
    count: fc.constantFrom(2, 3),
    one: fc.array(statement(1), { minLength: 1, maxLength: 3 }),
    more: fc.array(statement(0), { minLength: 0, maxLength: 1 }),
    forever: fc.option(statements(0, 2), { freq: 5 }),
  })
  .map(({ count, one, more, forever: again }) => {
    const statementsOfOne = count === 2 ? [...one, ...more] : one.slice(0, 2)
    return {
      alike: true,
      threads: Array.from({ length: count }, () => statementsOfOne),
      forever: Array.from({ length: 3 }, () => again),
    }
  })

/** Generated programs. */
export const programs: fc.Arbitrary<GeneratedProgram> = fc.oneof(
  { weight: 3, arbitrary: different },
  { weight: 2, arbitrary: alike },
)
