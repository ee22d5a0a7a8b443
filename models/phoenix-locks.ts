// Phoenix-RTOS: a call that runs out of memory returns with a lock held.
//
// Claim 1 (anon-*): where pages are mapped when they are touched, a write fault that cannot copy a shared page releases
//   the locks of the amap and of the map, but not that of the anon. The other process's fault waits for ever, and with
//   it every thread that needs that process's map. When the faulting thread dies of the failure, its locks are released
//   and nothing is noticed.
// Claim 2 (object-*): looking an object up did the same with the lock of the list of objects.
//
// Source: phoenix-rtos-kernel fbab3468 of April 2023.
import { type Program, atomically, boolean, choice, int, model } from 'vmcheck'
import { FailureBudget, HandoffLock } from 'vmcheck/vm'
import { AFTER, type Kernel, type VmMap, allocate, makeKernel, slotOf } from './phoenix/kernel.ts'
import { vmMapFault } from './phoenix/map-copy.ts'
import { insertEntry } from './phoenix/map.ts'

/** Processes that share one page: the first that writes it has to copy it. */
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
    anon: {
      formerly: 's12',
      about: 'a fault runs out of memory and leaves the anon locked',
      checks: ['stuck'],
      expect: { verdict: 'deadlock', states: 694 },
    },
    'anon-imbalance': {
      formerly: 's12-ends',
      about: 'the cause: the thread ends with the anon locked',
      expect: { verdict: 'imbalance', states: 208 },
    },
    'anon-fixed': {
      formerly: 's12-fixed',
      about: 'fixed by fbab3468',
      params: { fixed: true },
      expect: { verdict: 'pass', states: 1_586 },
    },
    'anon-dies': {
      formerly: 's12-dies',
      about: 'the thread dies, and its locks are released',
      params: { dies: true },
      expect: { verdict: 'pass', states: 3_034 },
    },
    object: {
      formerly: 's12-object',
      about: 'a look-up runs out of memory and leaves the list of objects locked',
      checks: ['stuck'],
      params: { lock: 'object' },
      expect: { verdict: 'deadlock', states: 19 },
    },
    'object-fixed': {
      formerly: 's12-object-fixed',
      about: 'fixed by fbab3468',
      params: { lock: 'object', fixed: true },
      expect: { verdict: 'pass', states: 35 },
    },
    'anon-three': {
      formerly: 's12-large',
      about: 'three processes share the anon',
      checks: ['stuck'],
      params: { sharers: 3 },
      expect: { verdict: 'deadlock', states: 9_550 },
      large: true,
    },
    'anon-three-fixed': {
      formerly: 's12-large-fixed',
      about: 'fixed by fbab3468, three processes',
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
