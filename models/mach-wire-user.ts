// GNU Mach: wiring a user's memory, whose map stays locked for reading meanwhile.
//
// Claim 1 (writer-*): the wiring thread's faults read-lock the map, which it has read-locked already. Without the
//   recursion that lock_set_recursive allows, a waiting writer is enough for a deadlock of two threads.
// Claim 2 (fault-*): with recursion, a third thread closes a cycle. Its ordinary fault holds the page that the wiring
//   thread sleeps on, and cannot read-lock the map again because a writer waits for the wiring thread. Wiring user maps
//   like kernel maps, with marked entries and the map unlocked, prevents it.
// Claim 3 (pager-*): a pager that needs the map's write lock to bring the page in hangs the same way, with two threads.
//   This is why kernel maps are unlocked at all.
//
// Source: GNU Mach head 40166870, vm_map_pageable; claim 2 found by reading, a sibling of NetBSD PR 56952.
import { type Machine, type Program, atomically, bool, choice, model, struct, when } from 'vmcheck'
import { HEAD, type Kernel, type Pager } from './gnumach/kernel.ts'
import { nothingInTransition, properties, setUp } from './gnumach/machine.ts'
import { vmFault } from './gnumach/vm-fault.ts'
import { vmMapPageable, vmMapUnwire } from './gnumach/vm-map-pageable.ts'
import { vmMapEnter, vmMapRemove } from './gnumach/vm-map.ts'

type Thread = (kernel: Kernel) => () => Program

const wire =
  (start: number, end: number, unwires = false): Thread =>
  (kernel) =>
    function* wirer() {
      yield* vmMapPageable(kernel, start, end)
      if (unwires) yield* vmMapUnwire(kernel, start, end)
    }

const fault =
  (...pages: readonly number[]): Thread =>
  (kernel) =>
    function* faulter() {
      for (const page of pages) yield* vmFault(kernel, page, false)
    }

const enter =
  (start: number, end: number, frees = false): Thread =>
  (kernel) =>
    function* writer() {
      yield* vmMapEnter(kernel, start, end)
      if (frees) yield* vmMapRemove(kernel, start, end)
    }

const free =
  (start: number, end: number): Thread =>
  (kernel) =>
    function* deleter() {
      yield* vmMapRemove(kernel, start, end)
    }

interface Workload {
  readonly threads: readonly Thread[]
  readonly pages: number
  /** Whether missing pages come from a pager. */
  readonly paged?: boolean
}

const WORKLOADS = {
  'wire-enter': { pages: 1, threads: [wire(0, 1), enter(2, 3)] },
  'wire-enter-many': { pages: 2, threads: [wire(0, 1), wire(1, 2), enter(3, 4), enter(5, 6)] },
  'wire-fault-enter': { pages: 1, threads: [wire(0, 1), fault(0), enter(2, 3)] },
  'wire-fault': { pages: 1, threads: [wire(0, 1), fault(0)] },
  'fault-enter': { pages: 1, threads: [fault(0), enter(2, 3)] },
  'wire-fault-enter-many': { pages: 2, threads: [wire(0, 2, true), fault(0, 1), enter(3, 4, true)] },
  'wire-free': { pages: 1, threads: [wire(0, 1), free(0, 1)] },
  paged: { pages: 1, threads: [wire(0, 1)], paged: true },
} as const satisfies Record<string, Workload>

const RequestStruct = struct<{ asked: boolean }>('request', { asked: bool })

/** The default pager: whatever it does to bring page 0 in, it locks the map for writing on the way. */
function defaultPager(m: Machine, kernel: Omit<Kernel, 'pager'>): Pager {
  const { store, map } = kernel
  const request = m.struct(RequestStruct, 'memory_object_data_request')
  const [slot] = store.all
  const pager = m.thread(
    function* pager() {
      yield* when(() => request.asked)
      yield* map.lockMap()
      yield* map.lock.release()
      yield* atomically(() => {
        if (!slot) return
        slot.page.resident = true
        store.wakeupDone(slot)
      })
    },
    { daemon: true },
  )
  return {
    request: ({ page }) => {
      request.asked = true
      page.busy = true
      page.busyBy = pager
    },
  }
}

export default model({
  title: 'GNU Mach: wiring a user’s memory, whose map stays locked for reading',
  params: {
    workload: choice(
      'wire-enter',
      'wire-enter-many',
      'wire-fault-enter',
      'wire-fault',
      'fault-enter',
      'wire-fault-enter-many',
      'wire-free',
      'paged',
    ),
    /** What clearing does when a thread waits, where the map is unlocked. */
    clear: choice('wake', 'ignore'),
    userWire: choice('recursive', 'plain', 'transit'),
  },
  scenarios: {
    'fault-writer': {
      formerly: 's9',
      about: 'wiring, an ordinary fault and a writer wait for each other',
      params: { workload: 'wire-fault-enter' },
      expect: { verdict: 'deadlock', states: 398 },
    },
    'fault-writer-transit': {
      formerly: 's9-transit',
      about: 'fixed: the map is unlocked and the entries are marked',
      params: { workload: 'wire-fault-enter', userWire: 'transit' },
      expect: { verdict: 'pass', states: 1_136 },
    },
    'fault-no-writer': {
      formerly: 's9-no-writer',
      about: 'control: no writer',
      params: { workload: 'wire-fault' },
      expect: { verdict: 'pass', states: 246 },
    },
    'fault-no-wiring': {
      formerly: 's9-no-wiring',
      about: 'control: no wiring',
      params: { workload: 'fault-enter' },
      expect: { verdict: 'pass', states: 36 },
    },
    'writer-plain': {
      formerly: 's8-plain',
      about: 'without recursion, the wiring thread’s second read lock waits for the writer',
      params: { userWire: 'plain' },
      expect: { verdict: 'deadlock', states: 21 },
    },
    'writer-recursive': {
      formerly: 's8-recursive',
      about: 'the kernel as it is: the read lock is recursive; also the control without the ordinary fault',
      expect: { verdict: 'pass', states: 65 },
    },
    'writer-recursive-many': {
      formerly: 's8-many',
      about: 'the same with two wirers and two writers',
      params: { workload: 'wire-enter-many' },
      expect: { verdict: 'pass', states: 1_262 },
      large: true,
    },
    'fault-writer-many': {
      formerly: 's9-many',
      about: 'with two pages, unwired and freed again',
      params: { workload: 'wire-fault-enter-many' },
      expect: { verdict: 'deadlock', states: 683 },
    },
    'fault-writer-many-transit': {
      formerly: 's9-many-transit',
      about: 'fixed, with two pages',
      params: { workload: 'wire-fault-enter-many', userWire: 'transit' },
      expect: { verdict: 'pass', states: 12_384 },
      large: true,
    },
    'delete-transit': {
      formerly: 's9-free',
      about: 'fixed, with a deleter, which waits for the entry',
      params: { workload: 'wire-free', userWire: 'transit' },
      expect: { verdict: 'pass', states: 98 },
    },
    'delete-no-wakeup': {
      formerly: 's9-free-unwoken',
      about: 'the entry marked, but clearing does not wake the deleter',
      params: { workload: 'wire-free', userWire: 'transit', clear: 'ignore' },
      expect: { verdict: 'lost-wakeup', states: 87 },
    },
    'pager-locked': {
      formerly: 's9b-locked',
      about: 'the pager needs the write lock of the map that the wiring thread keeps locked',
      params: { workload: 'paged' },
      expect: { verdict: 'deadlock', states: 15 },
    },
    'pager-unlocked': {
      formerly: 's9b-unlocked',
      about: 'fixed: the map is unlocked while the pager works',
      params: { workload: 'paged', userWire: 'transit' },
      expect: { verdict: 'pass', states: 29 },
    },
  },
  machine(m, { workload, userWire, clear }) {
    const { threads, pages, paged = false }: Workload = WORKLOADS[workload]
    const kernel: Kernel = {
      m,
      ...HEAD,
      ...setUp(m, {
        name: 'map',
        entries: 2 + threads.length,
        objects: threads.length,
        pages,
        initial: [{ start: 0, end: pages, sharedObject: true }],
      }),
      space: 'user',
      userWire,
      walk: userWire === 'transit' ? 'strict' : 'addr',
      clear,
      waitTransit: userWire === 'transit',
      unwire: userWire === 'transit' ? 'transit' : 'locked',
      deleteCheck: userWire === 'transit' ? 'before-clip' : 'after-clip',
    }
    const complete: Kernel = paged ? { ...kernel, pager: defaultPager(m, kernel) } : kernel
    for (const thread of threads) m.thread(thread(complete))
    properties(m, kernel)
    m.atRest('no entry stays in transition', () => nothingInTransition(kernel))
    if (workload !== 'fault-enter')
      m.sometimes('a thread is wiring', () => kernel.windows.all.some(({ inside }) => inside))
    if (workload.includes('fault')) m.sometimes('a page is busy', () => kernel.store.all.some(({ page }) => page.busy))
  },
})
