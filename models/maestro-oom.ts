// Maestro: memory runs out in a page fault.
//
// Claim 1 (retry-*): in 2024 an operation that ran out of memory was tried five times, with an out-of-memory killer in
//   between that did nothing. The kernel panics unless another thread frees memory in time. Returning the error does
//   not.
// Claim 2 (no-cache, still there): a fault that cannot allocate a page table waits for it as long as caches can shrink,
//   and panics when they cannot.
// Claim 3 (reclaim-*, one-mapping-*, writer-*, still there): shrinking a cache takes a sleeping lock, with a spin lock
//   held and interrupts off. Another thread of that CPU then spins for ever, and the sleeper never runs again.
//   Allocating page tables before VMem's lock helps only faults on other mappings while no thread waits to write;
//   allocating them before any lock helps all.
//
// Source: Maestro, kernel/src/process/oom.rs of 2024 and kernel/src/memory/{oom,vmem}.rs at 3569e232; claims 2 and 3
// found by reading.
import {
  type Cpu,
  type Instance,
  type Machine,
  type Program,
  atomically,
  bool,
  choice,
  int,
  model,
  struct,
  u,
  when,
} from 'vmcheck'
import { Mutex, RwSpinLock, SpinLock, disableInterrupts, enableInterrupts } from 'vmcheck/vm'

interface Memory {
  free: number
  /** Pages in caches that can be given back. */
  cached: number
  failedTries: number
  /** Another thread has freed a page. */
  given: boolean
  /** The allocation was made, or its failure returned. */
  done: boolean
}

const MemoryStruct = struct<Memory>('memory', { free: u(3), cached: u(3), failedTries: u(3), given: bool, done: bool })
const PANIC = 'the kernel does not panic'
/** Tries after which the wrapper of 2024 panics. */
const TRIES = 5

/** One try to allocate; the failed ones are counted. */
function* tryAllocate(memory: Instance<Memory>): Program<boolean> {
  return yield* atomically(() => {
    if (memory.free === 0) memory.failedTries += 1
    else memory.free -= 1
    return memory.failedTries === 0 || memory.given
  })
}

/** oom::wrap of 2024: tries again until it panics; or, fallible, returns the first failure. */
function* wrap(m: Machine, memory: Instance<Memory>, fallible: boolean, given: number | null): Program {
  for (let i = 0; i < TRIES; i++) {
    if (given !== null) yield* when(() => memory.failedTries < given || memory.given)
    if ((yield* tryAllocate(memory)) || fallible) return
  }
  m.assert(false, PANIC)
}

/** One thread allocates, another frees a page after so many failed tries; null: at any time. */
function retries(m: Machine, memory: Instance<Memory>, fallible: boolean, given: number | null): void {
  m.thread(function* fault() {
    yield* wrap(m, memory, fallible, given)
    yield* atomically(() => {
      memory.done = true
    })
  })
  if (fallible)
    m.atRest(
      'a failure is returned after one try',
      () => memory.failedTries <= 1 || `${memory.failedTries} tries failed`,
    )
  m.thread(
    function* free() {
      yield* when(
        () => memory.failedTries >= (given ?? 0),
        () => {
          memory.free += 1
          memory.given = true
        },
      )
    },
    { daemon: true },
  )
}

/** A fault waits for its page table while caches shrink. */
function reclaims(m: Machine, memory: Instance<Memory>): void {
  m.thread(function* fault() {
    for (;;) {
      const isMade = yield* atomically(() => {
        if (memory.free > 0) return true
        m.assert(memory.cached > 0, PANIC)
        memory.cached -= 1
        memory.free += 1
        return false
      })
      if (isMade) break
    }
    yield* atomically(() => {
      memory.done = true
    })
  })
}

/** The locks of a fault that reclaims memory. */
interface Locks {
  readonly state: RwSpinLock
  readonly vmem: SpinLock
  /** LRU: the sleeping lock of the page cache. */
  readonly lru: Mutex
}

/** When a fault allocates page tables: holding every lock, all but VMem's, or none. */
type Tables = 'under-lock' | 'before-vmem' | 'before-locks'

/** A fault that has to reclaim memory for its page table. */
function faultWithTable(
  { state, vmem, lru }: Locks,
  memory: Instance<Memory>,
  pages: SpinLock,
  tables: Tables,
): () => Program {
  function* reclaim(): Program {
    yield* lru.acquire()
    yield* atomically(() => {
      memory.done = true
    })
    yield* lru.release()
  }
  return function* fault() {
    yield* disableInterrupts()
    if (tables === 'before-locks') yield* reclaim()
    yield* state.read()
    yield* pages.acquire()
    if (tables === 'before-vmem') yield* reclaim()
    yield* vmem.acquire()
    if (tables === 'under-lock') yield* reclaim()
    yield* vmem.release()
    yield* pages.release()
    yield* state.release()
    yield* enableInterrupts()
  }
}

/** Two threads of one space fault on one CPU, while another CPU writes the page cache back. */
function reclaimsAtomically(
  m: Machine,
  memory: Instance<Memory>,
  tables: Tables,
  mappingCount: number,
  withWriter: boolean,
): void {
  const [cpu, other]: readonly [Cpu, Cpu] = [m.cpu(), m.cpu()]
  const locks: Locks = {
    state: new RwSpinLock(m, 'state', { prefersWriters: true }),
    vmem: new SpinLock(m, 'VMem.spin', { interrupts: 'off' }),
    lru: new Mutex(m, 'LRU'),
  }
  const mappings = Array.from({ length: mappingCount }, (_, i) => new SpinLock(m, `mapping ${i}.pages`))
  for (const i of [0, 1])
    m.thread(faultWithTable(locks, memory, mappings[i % mappingCount] as SpinLock, tables), { on: cpu })
  m.thread(
    function* flusher() {
      yield* locks.lru.acquire()
      yield* atomically(() => {
        memory.cached += 1
      })
      yield* locks.lru.release()
    },
    { on: other },
  )
  if (withWriter) {
    m.thread(function* munmap() {
      yield* locks.state.write()
      yield* locks.state.release()
    })
  }
  m.atRest(
    'every lock is free',
    () =>
      locks.state.isFree &&
      [locks.vmem, ...mappings].every(({ word }) => word.owner === null) &&
      locks.lru.owner === null,
  )
}

/** All checks but sleep-in-atomic: a scenario of its own is about that. */
const DEADLOCKS = [
  'stuck',
  'assertion',
  'invariant',
  'at-rest',
  'data-race',
  'use-after-free',
  'range',
  'exception',
  'imbalance',
  'unreached',
]

export default model({
  title: 'Maestro: out of memory in a page fault',
  params: {
    case: choice('retry', 'reclaim', 'atomic'),
    /** Whether the wrapper returns the first failure. */
    fallible: choice('no', 'yes'),
    /** After how many failed tries another thread frees a page; 7: at any time. */
    given: int(5, { min: 0, max: 7 }),
    cached: int(0, { min: 0, max: 3 }),
    tables: choice('under-lock', 'before-vmem', 'before-locks'),
    /** Mappings that the two faults are on. */
    mappings: int(2, { min: 1, max: 2 }),
    writer: choice('no', 'yes'),
  },
  scenarios: {
    'retry-5': {
      formerly: 's11a',
      about: 'memory is freed after the fifth failure: the kernel has panicked',
      expect: { verdict: 'assertion', property: PANIC, states: 10 },
    },
    'retry-0': {
      formerly: 's11a-0',
      about: 'memory is freed before the first failure',
      params: { given: 0 },
      expect: { verdict: 'pass', states: 5 },
    },
    'retry-1': {
      formerly: 's11a-1',
      about: 'memory is freed after the first failure',
      params: { given: 1 },
      expect: { verdict: 'pass', states: 7 },
    },
    'retry-2': {
      formerly: 's11a-2',
      about: 'memory is freed after the second failure',
      params: { given: 2 },
      expect: { verdict: 'pass', states: 9 },
    },
    'retry-3': {
      formerly: 's11a-3',
      about: 'memory is freed after the third failure',
      params: { given: 3 },
      expect: { verdict: 'pass', states: 11 },
    },
    'retry-4': {
      formerly: 's11a-in-time',
      about: 'memory is freed after the fourth failure, just in time',
      params: { given: 4 },
      expect: { verdict: 'pass', states: 13 },
    },
    'retry-late': {
      formerly: 's11a-late',
      about: 'memory is freed later',
      params: { given: 6 },
      expect: { verdict: 'assertion', property: PANIC, states: 10 },
    },
    'retry-any-time': {
      formerly: 's11a-any',
      about: 'memory is freed at any time',
      params: { given: 7 },
      expect: { verdict: 'assertion', property: PANIC, states: 17 },
    },
    'retry-fallible': {
      formerly: 's11a-fallible',
      about: 'fixed: the failure is returned',
      params: { given: 7, fallible: 'yes' },
      expect: { verdict: 'pass', states: 8 },
    },
    'no-cache': {
      formerly: 's11b',
      about: 'a page table cannot be allocated, and no cache can shrink',
      params: { case: 'reclaim' },
      expect: { verdict: 'assertion', property: PANIC, states: 1 },
    },
    'cache-shrinks': {
      formerly: 's11b-cached',
      about: 'control: a cache can shrink',
      params: { case: 'reclaim', cached: 1 },
      expect: { verdict: 'pass', states: 4 },
    },
    'reclaim-locked': {
      formerly: 's11c',
      about: 'reclaiming sleeps with spin locks held and interrupts off',
      checks: DEADLOCKS,
      params: { case: 'atomic' },
      expect: { verdict: 'deadlock', states: 96 },
    },
    'reclaim-before-vmem': {
      formerly: 's11c-fixed',
      about: 'page tables are allocated before VMem’s lock',
      checks: DEADLOCKS,
      params: { case: 'atomic', tables: 'before-vmem' },
      expect: { verdict: 'pass', states: 243 },
    },
    'one-mapping-before-vmem': {
      formerly: 's11c-mapping',
      about: 'two faults on one mapping: the mapping’s lock is still held then',
      checks: DEADLOCKS,
      params: { case: 'atomic', tables: 'before-vmem', mappings: 1 },
      expect: { verdict: 'deadlock', states: 52 },
    },
    'one-mapping-before-locks': {
      formerly: 's11c-mapping-fixed',
      about: 'fixed: page tables are allocated before any lock',
      checks: DEADLOCKS,
      params: { case: 'atomic', tables: 'before-locks', mappings: 1 },
      expect: { verdict: 'pass', states: 235 },
    },
    'reclaim-locked-sleeps': {
      formerly: 's11c-sleeps',
      about: 'the cause: reclaiming may sleep with spin locks held and interrupts off',
      params: { case: 'atomic' },
      expect: { verdict: 'sleep-in-atomic', states: 32 },
    },
    'before-locks-sleeps': {
      formerly: 's11c-fixed-sleeps',
      about: 'without the deadlock, a fault still sleeps with interrupts off',
      params: { case: 'atomic', tables: 'before-locks', mappings: 1 },
      expect: { verdict: 'sleep-in-atomic', states: 4 },
    },
    'writer-locked': {
      formerly: 's11c-large',
      about: 'with a writer',
      checks: DEADLOCKS,
      params: { case: 'atomic', writer: 'yes' },
      expect: { verdict: 'deadlock', states: 172 },
      large: true,
    },
    'writer-before-vmem': {
      formerly: 's11c-large-vmem',
      about: 'a waiting writer delays the second fault, which keeps the CPU from the first',
      checks: DEADLOCKS,
      params: { case: 'atomic', tables: 'before-vmem', writer: 'yes' },
      expect: { verdict: 'deadlock', states: 124 },
    },
    'writer-before-locks': {
      formerly: 's11c-large-fixed',
      about: 'fixed, with a writer: page tables are allocated before any lock',
      checks: DEADLOCKS,
      params: { case: 'atomic', tables: 'before-locks', writer: 'yes' },
      expect: { verdict: 'pass', states: 705 },
      large: true,
    },
  },
  machine(m, params) {
    const memory = m.struct(MemoryStruct, 'memory', { cached: params.cached })
    if (params.case === 'retry') retries(m, memory, params.fallible === 'yes', params.given === 7 ? null : params.given)
    else if (params.case === 'reclaim') reclaims(m, memory)
    else reclaimsAtomically(m, memory, params.tables, params.mappings, params.writer === 'yes')
    m.sometimes('memory is reclaimed, allocated or given up', () => memory.done)
  },
})
