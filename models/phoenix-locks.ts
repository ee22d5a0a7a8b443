// Phoenix-RTOS: a call that runs out of memory returns with a lock held.
//
// Claim 1 (S12): where pages are mapped when they are touched, a write fault that cannot copy a shared page gives the
//   amap's and the map's lock back, but not the anon's: the other process's fault waits forever, and with it
//   whoever needs that process's map. When the thread dies of it, its locks are released, and nothing is noticed.
// Claim 2: looking an object up did the same with the lock of all objects.
//
// Source: phoenix-rtos-kernel fbab3468 of April 2023.
import { type Program, atomically, boolean, choice, int, model } from 'vmcheck'
import { FailureBudget, HandoffLock } from 'vmcheck/vm'
import { AFTER, type Kernel, type VmMap, allocate, makeKernel, slotOf } from './phoenix/kernel.ts'
import { vmMapFault } from './phoenix/map-copy.ts'
import { insertEntry } from './phoenix/map.ts'

/** Processes that share one page: whoever writes it first has to copy it. */
function setUp(kernel: Kernel): void {
  const sharers = kernel.maps.length
  const page = kernel.frames.allocate(1)
  const amap = kernel.amaps.allocate({ refs: sharers })
  if (!amap) return
  slotOf(kernel, amap, 0).anon = kernel.anons.allocate({ refs: sharers, page })
  for (const map of kernel.maps) {
    const entry = kernel.entries.allocate({
      vaddr: 1,
      size: 1,
      prot: 'rw',
      protOrig: 'rw',
      needsCopy: true,
      object: 'anonymous',
      amap,
    })
    if (entry) insertEntry(map, entry)
    map.pmap.set(1, page, false)
  }
}

/** The locks that a thread may hold in a fault. */
function locksOf(kernel: Kernel): HandoffLock[] {
  return [...kernel.anonLocks, ...kernel.amapLocks, ...kernel.maps.map(({ lock }) => lock)]
}

/** A thread that writes the shared page; if it gets a signal instead, it continues, or dies and its locks are released. */
function writer(kernel: Kernel, map: VmMap, dies: boolean): () => Program {
  const locks = locksOf(kernel)
  return function* write() {
    const isWritten = yield* vmMapFault(kernel, map, 1)
    if (isWritten || !dies) return
    for (const lock of locks) {
      const isMine = yield* atomically(() => lock.owner === kernel.m.self)
      if (isMine) yield* lock.release()
    }
  }
}

/** vm_objectGet: finds or makes an object, under the lock of all objects. */
function objectGetter(kernel: Kernel, lock: HandoffLock): () => Program {
  return function* vmObjectGet() {
    yield* lock.acquire()
    const object = yield* allocate(kernel, 'an object', () => true)
    if (!object && !kernel.lockFix) return
    yield* lock.release()
  }
}

export default model({
  title: 'Phoenix-RTOS: a call that runs out of memory returns with a lock held',
  params: {
    lock: choice('anon', 'object'),
    fixed: boolean(false),
    /** What becomes of a thread whose write fails. */
    dies: boolean(false),
    sharers: int(2, { min: 2, max: 3 }),
  },
  scenarios: {
    s12: { about: 'S12: the anon stays locked', checks: ['stuck'], expect: { verdict: 'deadlock', states: 694 } },
    's12-ends': {
      about: 'S12: the thread that left the anon locked ends with it',
      expect: { verdict: 'imbalance', states: 208 },
    },
    's12-fixed': { about: 'S12 with fbab3468', params: { fixed: true }, expect: { verdict: 'pass', states: 1_586 } },
    's12-dies': {
      about: 'S12: the thread dies, and its locks are released',
      params: { dies: true },
      expect: { verdict: 'pass', states: 3_034 },
    },
    's12-object': {
      about: 'S12: the list of objects stays locked',
      checks: ['stuck'],
      params: { lock: 'object' },
      expect: { verdict: 'deadlock', states: 19 },
    },
    's12-object-fixed': {
      about: 'S12: the list of objects with fbab3468',
      params: { lock: 'object', fixed: true },
      expect: { verdict: 'pass', states: 35 },
    },
    's12-large': {
      about: 'S12 with three sharers',
      checks: ['stuck'],
      params: { sharers: 3 },
      expect: { verdict: 'deadlock', states: 9_550 },
      large: true,
    },
    's12-large-fixed': {
      about: 'S12 with three sharers and fbab3468',
      params: { sharers: 3, fixed: true },
      expect: { verdict: 'pass', states: 187_528 },
      large: true,
    },
  },
  machine(m, { lock, fixed, dies, sharers }) {
    const budget = new FailureBudget(m, { failures: 1 })
    const maps = ['P', 'C', 'G'].slice(0, sharers)
    const kernel = makeKernel(
      m,
      {
        threads: sharers,
        frames: sharers + 1,
        anons: sharers + 1,
        amaps: sharers + 1,
        entries: sharers,
        maps,
        stop: 2,
      },
      { ...AFTER, lockFix: fixed },
      budget,
    )
    setUp(kernel)
    const objectLock = new HandoffLock(m, 'object_common.lock', sharers)
    for (const map of kernel.maps)
      m.thread(lock === 'anon' ? writer(kernel, map, dies) : objectGetter(kernel, objectLock))
    m.atRest('no lock is held', () => [...locksOf(kernel), objectLock].every(({ owner }) => owner === null))
    m.sometimes('an allocation fails', () => budget.hasStruck)
  },
})
