// Runs a generated program's text as it stands, with the JavaScript engine's own generators over a machine of a few plain
// objects: nothing is lowered, stored or restored.
import { RandomSource } from '../../src/semantics/random-source.ts'
import { type GeneratedProgram, SIZES } from './program.ts'
import { printModel } from './print.ts'

/** What a `yield*` asks for. */
class Request {
  readonly isReady: () => boolean
  readonly perform: () => unknown

  constructor(isReady: () => boolean, perform: () => unknown) {
    this.isReady = isReady
    this.perform = perform
  }

  *[Symbol.iterator](): Generator<Request, unknown, unknown> {
    return yield this
  }
}

/** How one execution ended. */
export type NativeEnd =
  | { readonly fault: true }
  | { readonly stuck: string }
  | { readonly end: string }
  | { readonly goesOn: true }

class Failure extends Error {}

/** A thread reads in a loop, and no other one can do anything meanwhile. */
class Spinning extends Error {}

interface Thread {
  readonly id: number
  readonly running: Generator<Request, unknown, unknown>
  pending: Request | null
  hasStarted: boolean
  hasFinished: boolean
}

type Row = Record<string, unknown>

/** Volatile reads of a step at most. */
const MOST_READS = 200

/** Steps of an execution at most. */
const LONGEST = 300

/** Executes a program once, every choice drawn from the seed. */
export function runNatively(program: GeneratedProgram, seed: number): NativeEnd {
  const random = new RandomSource(seed)
  const rows = new Map<string, Row[]>()
  const bodies: (() => Generator<Request, unknown, unknown>)[] = []
  const results: Row[] = []
  let self = -1
  const always = (): boolean => true
  const place = (keys: readonly string[], name: string, count: number): Row[] => {
    const made = Array.from(
      { length: count },
      (_, i) =>
        Object.fromEntries([['name', `${name}[${i}]`], ...keys.map((key) => [key, key === 'v' ? 0 : null])]) as Row,
    )
    rows.set(name, made)
    return made
  }
  let reads = 0
  /** Rows that may be read in a loop without an operation. */
  const counted = (made: readonly Row[]): readonly Row[] =>
    made.map((row) => {
      let v: unknown = 0
      return Object.defineProperty(row, 'v', {
        get: () => {
          if (++reads > MOST_READS) throw new Spinning()
          return v
        },
        set: (value: unknown) => {
          v = value
        },
      })
    })
  const m = {
    array: (keys: readonly string[], count: number, name: string) =>
      name === 'volatile' ? counted(place(keys, name, count)) : place(keys, name, count),
    struct: (keys: readonly string[], name: string) => place(keys, name, 1)[0],
    pool: (_keys: unknown, count: number) => {
      let taken = 0
      return { allocate: () => (random.below(2) === 1 || taken === count ? null : { number: taken++ }) }
    },
    perActor: (keys: readonly string[], name: string) => ({
      of: (actor: number) => (results[actor] ??= place(keys, name, 1)[0] as Row),
    }),
    thread: (body: () => Generator<Request, unknown, unknown>) => bodies.push(body),
    cpus: (count: number, make: () => () => Generator<Request, unknown, unknown>) =>
      bodies.push(...Array.from({ length: count }, make)),
    choose: (n: number) => random.below(n),
    pick: (list: readonly unknown[]) => list[random.below(list.length)],
    assert: (holds: boolean) => {
      if (!holds) throw new Failure()
    },
    get self() {
      return self
    },
  }
  class Mutex {
    #owner = -1
    acquire(): Request {
      return new Request(
        () => this.#owner < 0,
        () => (this.#owner = self),
      )
    }
    release(): Request {
      return new Request(always, () => (this.#owner = -1))
    }
    tryAcquire(): Request {
      return new Request(always, () => {
        if (this.#owner >= 0) return false
        this.#owner = self
        return true
      })
    }
  }
  class SleepLock {
    #writer = -1
    readonly #readers = new Set<number>()
    read(): Request {
      return new Request(
        () => this.#writer < 0,
        () => this.#readers.add(self),
      )
    }
    *write(): Generator<Request, void, unknown> {
      yield new Request(
        () => this.#writer < 0,
        () => (this.#writer = self),
      )
      yield new Request(
        () => this.#readers.size === 0,
        () => {},
      )
    }
    release(): Request {
      return new Request(always, () => (this.#readers.has(self) ? this.#readers.delete(self) : (this.#writer = -1)))
    }
  }
  class WaitChannel {
    readonly #sleepers = new Set<number>()
    assertWait(): Request {
      return new Request(always, () => this.#sleepers.add(self))
    }
    block(): Request {
      const me = self
      return new Request(
        () => !this.#sleepers.has(me),
        () => {},
      )
    }
    wakeup(): Request {
      return new Request(always, () => this.#sleepers.clear())
    }
    wakeOne(): Request {
      return new Request(always, () =>
        this.#sleepers.delete([...this.#sleepers][random.below(this.#sleepers.size)] ?? -1),
      )
    }
  }
  const given = {
    Mutex,
    SleepLock,
    WaitChannel,
    actors: null,
    u2: null,
    u4: null,
    ref: () => null,
    volatile: () => null,
    published: () => null,
    struct: (_name: string, fields: object) => Object.keys(fields),
    model: (definition: { machine(machine: typeof m): void }) => definition.machine(m),
    pause: () => new Request(always, () => {}),
    when: (guard: () => boolean, effect: () => unknown) => new Request(guard, effect),
    atomically: (effect: () => unknown) => new Request(always, effect),
    readOnce: (read: () => unknown) => new Request(always, read),
  }
  const text = printModel(program)
    .replaceAll(/^import .*$/gm, '')
    .replace('export default ', '')
  new Function(...Object.keys(given), text)(...Object.values(given))
  const threads = bodies.map((body, id): Thread => ({
    id,
    running: body(),
    pending: null,
    hasStarted: false,
    hasFinished: false,
  }))
  try {
    for (let step = 0; step < LONGEST; step++) {
      const ready = threads.filter((thread) => !thread.hasFinished && (!thread.hasStarted || thread.pending?.isReady()))
      const chosen = ready[random.below(ready.length)]
      if (!chosen)
        return ended(
          threads,
          rows,
          program.alike,
          threads.map(({ id }) => results[id]?.['v'] ?? 0),
        )
      self = chosen.id
      reads = 0
      const result = chosen.hasStarted ? chosen.running.next(chosen.pending?.perform()) : chosen.running.next()
      chosen.hasStarted = true
      chosen.hasFinished = result.done ?? false
      chosen.pending = result.done ? null : result.value
    }
  } catch (error) {
    if (error instanceof Failure) return { fault: true }
    if (error instanceof Spinning) return { goesOn: true }
    throw error
  }
  return { goesOn: true }
}

function ended(
  threads: readonly Thread[],
  rows: ReadonlyMap<string, readonly Row[]>,
  isAlike: boolean,
  results: readonly unknown[],
): NativeEnd {
  const standing = threads.filter(({ hasFinished }) => !hasFinished)
  if (standing.length > 0) return { stuck: standing.map(({ id }) => id).join() }
  const values = (name: string): unknown[] => (rows.get(name) ?? []).map(({ v }) => v)
  const pages = (rows.get('page') ?? []).map(({ v, owner }) => [v, owner !== null])
  return {
    end: JSON.stringify([
      values('plain'),
      values('atomic').slice(0, SIZES.atomic),
      values('volatile'),
      values('published'),
      pages.toSorted(),
      rows.get('board')?.[0]?.['page'] !== null,
      isAlike ? results.toSorted() : results,
    ]),
  }
}
