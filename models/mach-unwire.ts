// GNU Mach: unwiring waits for a busy page with the map locked, and a fault needs the map while its page is busy.
//
// Claim: one thread unwires (or frees) a wired page while another is in an ordinary fault on it and has looked its
//   entry up already: each waits for the other. It is the cycle of models/wire.ts, without any change of entries.
//   Marking the entry as in transition and unlocking the map while unwiring prevents it.
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
    /** Parts of the fix, each of which is needed: the entries are marked, and clearing wakes the threads that wait. */
    parts: choice('all', 'unmarked', 'unwoken'),
  },
  scenarios: {
    unwire: {
      formerly: 's16',
      about: 'unwiring sleeps on a busy page with the map write-locked',
      expect: { verdict: 'deadlock', states: 37 },
    },
    'unwire-transit': {
      formerly: 's16-transit',
      about: 'fixed: the map is unlocked meanwhile, and the entry is marked',
      params: { unwire: 'transit' },
      expect: { verdict: 'pass', states: 119 },
    },
    free: {
      formerly: 's16-free',
      about: 'freeing wired memory does the same',
      params: { workload: 'free' },
      expect: { verdict: 'deadlock', states: 36 },
    },
    'free-transit': {
      formerly: 's16-free-transit',
      about: 'fixed, by freeing',
      params: { workload: 'free', unwire: 'transit' },
      expect: { verdict: 'pass', states: 123 },
    },
    'wire-unwire': {
      formerly: 's16-wire-unwire',
      about: 'the thread that unwires wired the page itself',
      params: { workload: 'wire-unwire' },
      expect: { verdict: 'deadlock', states: 321 },
    },
    'wire-unwire-transit': {
      formerly: 's16-wire-unwire-transit',
      about: 'fixed, after wiring',
      params: { workload: 'wire-unwire', unwire: 'transit' },
      expect: { verdict: 'pass', states: 441 },
    },
    'unwire-enter': {
      formerly: 's16-three',
      about: 'with another thread that enters a mapping',
      params: { workload: 'unwire-enter' },
      expect: { verdict: 'deadlock', states: 81 },
    },
    'unwire-enter-transit': {
      formerly: 's16-three-transit',
      about: 'fixed, with another thread that enters a mapping',
      params: { workload: 'unwire-enter', unwire: 'transit' },
      expect: { verdict: 'pass', states: 407 },
    },
    'unwire-delete-transit': {
      formerly: 's16-free-beside',
      about: 'fixed, with a deleter, which waits for the entry',
      params: { workload: 'unwire-free', unwire: 'transit' },
      expect: { verdict: 'pass', states: 813 },
    },
    'unwire-delete-unmarked': {
      formerly: 's16-free-unmarked',
      about: 'the map unlocked but the entry not marked: the deleter frees it',
      params: { workload: 'unwire-free', unwire: 'transit', parts: 'unmarked' },
      expect: { verdict: 'use-after-free', states: 297 },
    },
    'unwire-delete-no-wakeup': {
      formerly: 's16-free-unwoken',
      about: 'the entry marked, but clearing does not wake the deleter',
      params: { workload: 'unwire-free', unwire: 'transit', parts: 'unwoken' },
      expect: { verdict: 'lost-wakeup', states: 571 },
    },
    'unwire-wire-transit': {
      formerly: 's16-wire-beside',
      about: 'fixed, with another wiring thread',
      params: { workload: 'unwire-wire', unwire: 'transit' },
      expect: { verdict: 'pass', states: 1_634 },
    },
    'unwire-wire-unmarked': {
      formerly: 's16-wire-unmarked',
      about: 'the map unlocked but the entry not marked: another thread wires it meanwhile',
      params: { workload: 'unwire-wire', unwire: 'transit', parts: 'unmarked' },
      expect: { verdict: 'assertion', states: 2_108 },
    },
    'unwire-wire-no-wakeup': {
      formerly: 's16-wire-unwoken',
      about: 'the entry marked, but clearing does not wake the other wiring thread',
      params: { workload: 'unwire-wire', unwire: 'transit', parts: 'unwoken' },
      expect: { verdict: 'lost-wakeup', states: 946 },
    },
    faults: {
      formerly: 's16-faults',
      about: 'control: two faults and a writer',
      params: { workload: 'faults' },
      expect: { verdict: 'pass', states: 301 },
    },
    'first-faults': {
      formerly: 's16-first-faults',
      about: 'control: two first faults, which make the object, and a writer',
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
    m.atRest('no entry stays in transition', () => nothingInTransition(kernel))
    m.sometimes('a page is busy', () => kernel.store.all.some(({ page }) => page.busy))
    if (isTransit && /^unwire-(free|wire)$/.test(params.workload) && params.parts === 'all')
      m.sometimes('a thread sleeps on an entry in transition', () => !kernel.map.inTransitionEvent.isEmpty)
    if (!params.workload.endsWith('faults'))
      m.sometimes('a thread waits for the page', () => kernel.store.all.some(({ page }) => page.wanted))
  },
})
