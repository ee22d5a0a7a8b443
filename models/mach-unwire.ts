// GNU Mach: unwiring waits for a busy page with the map locked, and a fault needs the map while its page is busy.
//
// Claim (S16): this is the seed's cycle without any entry surgery. One thread unwires (or frees) a wired page while
//   another is in an ordinary fault on it, whose look-up was before. Unwiring with the entry marked as in transition
//   and the map unlocked prevents it.
//
// Source: GNU Mach head 40166870, vm_fault_unwire and vm_fault; found by reading. User threads reach it on their own
// map; in a kernel map only the owner touches a range.
import { type Program, choice, model } from 'vmcheck'
import { HEAD, type Kernel } from './gnumach/kernel.ts'
import { nothingInTransition, properties, setUp } from './gnumach/machine.ts'
import { vmFault } from './gnumach/vm-fault.ts'
import { vmMapPageable, vmMapUnwire } from './gnumach/vm-map-pageable.ts'
import { vmMapEnter, vmMapRemove } from './gnumach/vm-map.ts'

type Thread = (kernel: Kernel) => () => Program

const unwire: Thread = (kernel) =>
  function* unwirer() {
    yield* vmMapUnwire(kernel, 0, 1)
  }

const free: Thread = (kernel) =>
  function* deleter() {
    yield* vmMapRemove(kernel, 0, 1)
  }

const wireUnwire: Thread = (kernel) =>
  function* wirer() {
    yield* vmMapPageable(kernel, 0, 1)
    yield* vmMapUnwire(kernel, 0, 1)
  }

const fault: Thread = (kernel) =>
  function* faulter() {
    yield* vmFault(kernel, 0, false)
  }

const enter: Thread = (kernel) =>
  function* writer() {
    yield* vmMapEnter(kernel, 2, 3)
  }

interface Workload {
  /** Whether page 0 is resident and wired at first, has an object at least, or has nothing. */
  readonly page: 'wired' | 'mapped' | 'fresh'
  readonly threads: readonly Thread[]
}

const WORKLOADS: Readonly<
  Record<
    'unwire' | 'free' | 'wire-unwire' | 'unwire-enter' | 'unwire-free' | 'unwire-wire' | 'faults' | 'first-faults',
    Workload
  >
> = {
  unwire: { page: 'wired', threads: [unwire, fault] },
  free: { page: 'wired', threads: [free, fault] },
  'wire-unwire': { page: 'mapped', threads: [wireUnwire, fault] },
  'unwire-enter': { page: 'wired', threads: [unwire, fault, enter] },
  'unwire-free': { page: 'wired', threads: [unwire, fault, free] },
  'unwire-wire': { page: 'wired', threads: [unwire, fault, wireUnwire] },
  faults: { page: 'mapped', threads: [fault, fault, enter] },
  'first-faults': { page: 'fresh', threads: [fault, fault, enter] },
}

export default model({
  title: 'GNU Mach: unwiring a page that an ordinary fault holds',
  params: {
    workload: choice(
      'unwire',
      'free',
      'wire-unwire',
      'unwire-enter',
      'unwire-free',
      'unwire-wire',
      'faults',
      'first-faults',
    ),
    unwire: choice('locked', 'transit'),
    /** Parts of the fix, each of which is needed: its entries are marked, and who waits for that is woken. */
    parts: choice('all', 'unmarked', 'unwoken'),
  },
  scenarios: {
    s16: {
      about: 'S16: unwiring sleeps on the page under the write lock',
      expect: { verdict: 'deadlock', states: 37 },
    },
    's16-transit': {
      about: 'S16 fixed: the map is unlocked meanwhile',
      params: { unwire: 'transit' },
      expect: { verdict: 'pass', states: 119 },
    },
    's16-free': {
      about: 'S16 by freeing wired memory',
      params: { workload: 'free' },
      expect: { verdict: 'deadlock', states: 36 },
    },
    's16-free-transit': {
      about: 'S16 by freeing, fixed',
      params: { workload: 'free', unwire: 'transit' },
      expect: { verdict: 'pass', states: 123 },
    },
    's16-wire-unwire': {
      about: 'S16 after the same thread’s wiring',
      params: { workload: 'wire-unwire' },
      expect: { verdict: 'deadlock', states: 321 },
    },
    's16-wire-unwire-transit': {
      about: 'S16 after wiring, fixed',
      params: { workload: 'wire-unwire', unwire: 'transit' },
      expect: { verdict: 'pass', states: 441 },
    },
    's16-three': {
      about: 'S16 with a writer beside',
      params: { workload: 'unwire-enter' },
      expect: { verdict: 'deadlock', states: 81 },
    },
    's16-three-transit': {
      about: 'S16 with a writer beside, fixed',
      params: { workload: 'unwire-enter', unwire: 'transit' },
      expect: { verdict: 'pass', states: 407 },
    },
    's16-free-beside': {
      about: 'S16 with a deleter beside, fixed: it waits for the entry',
      params: { workload: 'unwire-free', unwire: 'transit' },
      expect: { verdict: 'pass', states: 813 },
    },
    's16-free-unmarked': {
      about: 'S16 with a deleter beside, the entry not marked',
      params: { workload: 'unwire-free', unwire: 'transit', parts: 'unmarked' },
      expect: { verdict: 'use-after-free', states: 297 },
    },
    's16-free-unwoken': {
      about: 'S16 with a deleter beside, which is never woken',
      params: { workload: 'unwire-free', unwire: 'transit', parts: 'unwoken' },
      expect: { verdict: 'lost-wakeup', states: 571 },
    },
    's16-wire-beside': {
      about: 'S16 with another wirer beside, fixed',
      params: { workload: 'unwire-wire', unwire: 'transit' },
      expect: { verdict: 'pass', states: 1_634 },
    },
    's16-wire-unmarked': {
      about: 'S16 with another wirer beside, the entry not marked',
      params: { workload: 'unwire-wire', unwire: 'transit', parts: 'unmarked' },
      expect: { verdict: 'assertion', states: 2_108 },
    },
    's16-wire-unwoken': {
      about: 'S16 with another wirer beside, which is never woken',
      params: { workload: 'unwire-wire', unwire: 'transit', parts: 'unwoken' },
      expect: { verdict: 'lost-wakeup', states: 946 },
    },
    's16-faults': {
      about: 'S16 control: two faults and a writer',
      params: { workload: 'faults' },
      expect: { verdict: 'pass', states: 301 },
    },
    's16-first-faults': {
      about: 'S16 control: two first faults, which make the object, and a writer',
      params: { workload: 'first-faults' },
      expect: { verdict: 'pass', states: 381 },
    },
  },
  machine(m, params) {
    const { threads, page: initially } = WORKLOADS[params.workload]
    const isTransit = params.unwire === 'transit'
    const kernel: Kernel = {
      m,
      ...HEAD,
      ...setUp(m, {
        name: 'map',
        entries: 3,
        objects: 2,
        pages: 1,
        initial: [{ start: 0, end: 1, wired: initially === 'wired', sharedObject: initially !== 'fresh' }],
      }),
      unwire: params.unwire,
      unwireMarks: params.parts !== 'unmarked',
      unwireWakes: params.parts !== 'unwoken',
      clear: isTransit ? 'wake' : 'assert',
      waitTransit: isTransit,
      deleteCheck: isTransit ? 'before-clip' : 'after-clip',
    }
    for (const thread of threads) m.thread(thread(kernel))
    properties(m, kernel)
    m.atRest('nothing stays in transition', () => nothingInTransition(kernel))
    m.sometimes('a page is busy', () => kernel.store.all.some(({ page }) => page.busy))
    if (isTransit && /^unwire-(free|wire)$/.test(params.workload) && params.parts === 'all')
      m.sometimes('somebody sleeps on an entry in transition', () => !kernel.map.inTransitionEvent.isEmpty)
    if (!params.workload.endsWith('faults'))
      m.sometimes('somebody waits for the page', () => kernel.store.all.some(({ page }) => page.wanted))
  },
})
