import {
  type Actor,
  type Instance,
  type Machine,
  Operation,
  type Primitive,
  type Program,
  type SyncObject,
  actors,
  holding,
  internal,
  ref,
  setOf,
  struct,
  u,
} from 'vmcheck'

interface LockState {
  /** Has announced that it wants to write (want_write); holds the lock once the readers have left. */
  writer: Actor | null
  /** A reader that wants to write (want_upgrade). */
  upgrader: Actor | null
  /** The thread that may take the lock again (lock.thread). */
  recursive: Actor | null
  /** Recursive write holds. */
  depth: number
  /** Readers, one bit an actor. */
  readers: number
  /** Readers that hold it a second time, one bit an actor. */
  again: number
}

const LockStruct = struct<LockState>('lock', {
  writer: internal(holding(ref(actors))),
  upgrader: internal(holding(ref(actors))),
  // who may take it again has to give that right up, too
  recursive: internal(holding(ref(actors))),
  depth: internal(u(2)),
  readers: internal(holding(setOf(actors))),
  again: internal(setOf(actors)),
})

function isUnread({ readers }: LockState): boolean {
  return readers === 0
}

function isReader({ readers, again }: LockState, { id }: Actor): boolean {
  return (((readers | again) >> id) & 1) === 1
}

function isHeldBy(state: LockState, actor: Actor): boolean {
  return isReader(state, actor) || state.writer === actor || state.upgrader === actor || state.depth > 0
}

function addReader(state: LockState, actor: Actor, name: string): void {
  const bit = 1 << actor.id
  if ((state.again & bit) !== 0) throw new Error(`${actor.name} takes ${name} for reading more than twice`)
  if ((state.readers & bit) !== 0) state.again |= bit
  else state.readers |= bit
}

function dropReader(state: LockState, actor: Actor, name: string): void {
  const bit = 1 << actor.id
  if ((state.again & bit) !== 0) state.again &= ~bit
  else if ((state.readers & bit) !== 0) state.readers &= ~bit
  else throw new Error(`${actor.name} releases ${name}, which it does not hold`)
}

/** Undoes the write hold that is undone first: a recursive one, an upgrade, the write lock itself. */
function dropWriter(state: LockState, actor: Actor, name: string): void {
  if (state.recursive === actor && state.depth > 0) state.depth -= 1
  else if (state.upgrader === actor) state.upgrader = null
  else if (state.writer === actor) state.writer = null
  else throw new Error(`${actor.name} releases ${name}, which it does not hold`)
}

/** Whether the actor holds it for writing so that no other may read. */
function isAlone({ writer, upgrader }: LockState, actor: Actor): boolean {
  return writer === actor || upgrader === actor
}

function readersOf({ readers }: LockState, all: readonly Actor[]): Actor[] {
  return all.filter(({ id }) => ((readers >> id) & 1) === 1)
}

function present(...list: (Actor | null)[]): Actor[] {
  return list.filter((actor) => actor !== null)
}

/** Whether the actor that has just released or downgraded has no write hold left. */
function hasNoWriter({ state }: SleepLock, actor: Actor): boolean {
  return state.writer !== actor && state.upgrader !== actor && (state.recursive !== actor || state.depth === 0)
}

const OPERATIONS: Readonly<Record<string, Primitive<SleepLock>>> = {
  announce: {
    class: 'acquire',
    enabled: ({ state }, actor) => state.recursive === actor || state.writer === null,
    perform: ({ state, name }, actor) => {
      if (state.recursive !== actor) {
        state.writer = actor
        return false
      }
      if (!isAlone(state, actor))
        throw new Error(`${actor.name} takes ${name} for writing again after a downgrade: readers may be inside`)
      state.depth += 1
      return true
    },
    holders: ({ state }) => present(state.writer),
    yields: true,
    detail: () => 'want write',
  },
  drain: {
    class: 'acquire',
    enabled: ({ state }) => isUnread(state) && state.upgrader === null,
    perform: () => undefined,
    holders: (lock) => [...readersOf(lock.state, lock.actors), ...present(lock.state.upgrader)],
    yields: true,
    detail: () => 'write',
  },
  read: {
    class: 'acquire',
    enabled: ({ state }, actor) => state.recursive === actor || (state.writer === null && state.upgrader === null),
    perform: ({ state, name }, actor) => {
      const { recursive } = state
      if (recursive !== null && recursive !== actor && state.depth > 0)
        throw new Error(`${actor.name} takes ${name} for reading, which ${recursive.name} has upgraded by recursion`)
      if (recursive === actor && !isHeldBy(state, actor))
        throw new Error(
          `${actor.name} takes ${name} for reading by its right to take it again, although it has released it`,
        )
      addReader(state, actor, name)
    },
    holders: ({ state }) => present(state.writer, state.upgrader),
    yields: true,
  },
  upgrade: {
    class: 'other',
    perform: (lock, actor) => {
      const { state, name } = lock
      dropReader(state, actor, name)
      if (state.recursive === actor) {
        if (!isAlone(state, actor) && !isUnread(state))
          throw new Error(`${actor.name} upgrades ${name} by its right to take it again, with readers inside`)
        state.depth += 1
        return 'granted'
      }
      if (state.upgrader !== null) return 'refused'
      state.upgrader = actor
      return 'waiting'
    },
  },
  drainUpgrade: {
    class: 'acquire',
    enabled: ({ state }) => isUnread(state),
    perform: () => undefined,
    holders: (lock) => readersOf(lock.state, lock.actors),
    yields: true,
    detail: () => 'upgrade',
  },
  downgrade: {
    class: 'release',
    perform: ({ state, name }, actor) => {
      addReader(state, actor, name)
      dropWriter(state, actor, name)
    },
    frees: hasNoWriter,
    detail: () => 'to read',
  },
  release: {
    class: 'release',
    // read holds first, as lock_done counts them; whether others read must not matter to a release
    perform: ({ state, name }, actor) => {
      if (isReader(state, actor)) dropReader(state, actor, name)
      else dropWriter(state, actor, name)
    },
    frees: hasNoWriter,
  },
  setRecursive: {
    class: 'other',
    perform: ({ state, name }, actor) => {
      if (state.writer !== actor)
        throw new Error(`${actor.name} makes ${name} recursive without holding it for writing`)
      state.recursive = actor
    },
  },
  clearRecursive: {
    class: 'other',
    perform: ({ state, name }, actor) => {
      if (state.recursive !== actor)
        throw new Error(`${actor.name} ends the recursion of ${name}, which is not its own`)
      if (state.depth === 0) state.recursive = null
    },
  },
}

/**
 * GNU Mach's sleeping reader/writer lock (kern/lock.c): a writer announces itself, which holds off new readers, and
 * then waits for those inside; readers may upgrade, writers downgrade; one thread may be given the right to take it
 * recursively. Every change that could let a sleeper continue wakes all sleepers there, so that here they simply wait
 * for their guards.
 *
 * @example
 * const lock = new SleepLock(m, 'map.lock')
 * m.cpus(2, () => function* upgrader() {
 *   yield* lock.read()
 *   if (yield* lock.upgrade()) yield* lock.release() // false: another was first, and nothing is held
 * })
 */
export class SleepLock implements SyncObject {
  /** Its name, in traces and messages. */
  readonly name: string
  /** Its operations, by name. */
  readonly operations: Readonly<Record<string, Primitive<never>>> = OPERATIONS as Readonly<
    Record<string, Primitive<never>>
  >
  /** Inside its operations, and for properties: what the lock knows. */
  readonly state: Instance<LockState>
  /** The machine's actors, for who holds it. */
  readonly actors: readonly Actor[]

  constructor(m: Machine, name: string) {
    this.name = name
    this.state = m.struct(LockStruct, name)
    this.actors = m.actors
  }

  /** lock_write: announces the writer, then waits until no reader is inside. */
  *write(): Program {
    const isRecursive = yield* new Operation<boolean>(this, 'announce')
    if (!isRecursive) yield* new Operation<void>(this, 'drain')
  }

  /** lock_read */
  read(): Operation<void> {
    return new Operation(this, 'read')
  }

  /** lock_read_to_write: gives up the read hold and waits to be the only holder; false, with nothing held, when another reader was first. */
  *upgrade(): Program<boolean> {
    const outcome = yield* new Operation<'granted' | 'refused' | 'waiting'>(this, 'upgrade')
    if (outcome === 'waiting') yield* new Operation<void>(this, 'drainUpgrade')
    return outcome !== 'refused'
  }

  /** lock_write_to_read */
  downgrade(): Operation<void> {
    return new Operation(this, 'downgrade')
  }

  /** lock_done: gives back a read or a write hold. */
  release(): Operation<void> {
    return new Operation(this, 'release')
  }

  /** lock_set_recursive: the writer may take the lock again. */
  setRecursive(): Operation<void> {
    return new Operation(this, 'setRecursive')
  }

  /** lock_clear_recursive */
  clearRecursive(): Operation<void> {
    return new Operation(this, 'clearRecursive')
  }

  /** Whether no one holds or wants it; a ghost question, for properties. */
  get isFree(): boolean {
    const { writer, upgrader } = this.state
    return isUnread(this.state) && writer === null && upgrader === null
  }
}
