// SerenityOS: two first stores to one page.
//
// Claim 1 (no-reason-*, retry-*, crash-*): a zero fault that releases the object's lock before it rewrites the page
//   table lets another thread find a page with a frame, no copy due, and a mapping that still forbids the store. A
//   kernel that takes that for impossible panics, one that kills processes kills, one that tries again spins.
// Claim 2 (drawn-twice-*, unbacked-*, lost-update-*): memory committed lazily is drawn before the lock is taken: two
//   threads draw twice for one page.
// 577bc7ef95c keeps the lock throughout; dac08384a06 makes the fault without a reason harmless.
//
// Source: SerenityOS from 5ada38f9c3c (August 2022) to 577bc7ef95c (December 2025).
import { boolean, choice, int, model } from 'vmcheck'
import { type Slot, type Switches, FROM_2022, makeKernel } from './serenity/kernel.ts'
import { type Storer, lazyPagesAreBacked, properties, storer } from './serenity/user.ts'

/** Pages by kind, and the pages that each thread stores to. */
interface Workload {
  readonly slots: readonly Slot['kind'][]
  readonly threads: readonly (readonly number[])[]
}

const WORKLOADS = {
  zero: { slots: ['zero'], threads: [[0], [0]] },
  lazy: { slots: ['lazy'], threads: [[0], [0]] },
  'zero-three': {
    slots: ['zero', 'zero'],
    threads: [
      [0, 1],
      [0, 1],
      [0, 1],
    ],
  },
  'lazy-two': { slots: ['lazy', 'lazy'], threads: [[0], [0, 1]] },
  'lazy-one-used': { slots: ['lazy', 'lazy'], threads: [[0], [0]] },
  'lazy-three': {
    slots: ['lazy', 'lazy'],
    threads: [
      [0, 1],
      [0, 1],
      [0, 1],
    ],
  },
  'lazy-three-pages': {
    slots: ['lazy', 'lazy', 'lazy'],
    threads: [
      [0, 1, 2],
      [0, 1, 2],
    ],
  },
} as const satisfies Record<string, Workload>

const CRASH = 'a legal access does not kill the process'
const EMPTY = 'a unit is taken from a set that has one'
const RETRY = 'a store takes no more faults than it may'
const BACKED = 'every lazy page has a unit'

export default model({
  title: 'SerenityOS: concurrent zero faults',
  params: {
    workload: choice('zero', 'lazy', 'zero-three', 'lazy-two', 'lazy-one-used', 'lazy-three', 'lazy-three-pages'),
    zLock: choice('off', 'on'),
    noReason: choice('assert', 'tolerate', 'crash'),
    /** Whether the units of an object are counted down by a read and a write. */
    splitUnits: boolean(false),
    /** Faults that a store may take; 0: any number. */
    retries: int(0, { min: 0, max: 4 }),
  },
  scenarios: {
    'no-reason': {
      formerly: 's3',
      about: 'a fault finds no reason, and the page is still read-only: the kernel panics',
      expect: { verdict: 'assertion', property: CRASH, states: 179 },
    },
    'no-reason-fixed': {
      formerly: 's3-fixed',
      about: 'fixed: the lock is held until the page table is rewritten',
      params: { zLock: 'on' },
      expect: { verdict: 'pass', states: 150 },
    },
    'retry-1': {
      formerly: 's3-retry1',
      about: 'a store faults a second time',
      params: { noReason: 'tolerate', retries: 1 },
      expect: { verdict: 'assertion', property: RETRY, states: 181 },
    },
    'retry-4': {
      formerly: 's3-retry4',
      about: 'and again and again',
      params: { noReason: 'tolerate', retries: 4 },
      expect: { verdict: 'assertion', property: RETRY, states: 588 },
    },
    'retry-1-fixed': {
      formerly: 's3-retry1-fixed',
      about: 'fixed: with the lock held a store faults once',
      params: { noReason: 'tolerate', retries: 1, zLock: 'on' },
      expect: { verdict: 'pass', states: 142 },
    },
    crash: {
      formerly: 's3-crash',
      about: 'a legal store kills the process',
      params: { noReason: 'crash' },
      expect: { verdict: 'assertion', property: CRASH, states: 148 },
    },
    'crash-fixed': {
      formerly: 's3-crash-fixed',
      about: 'holding the lock is not enough',
      params: { noReason: 'crash', zLock: 'on' },
      expect: { verdict: 'assertion', property: CRASH, states: 129 },
    },
    'crash-lazy': {
      formerly: 's3-crash-lazy',
      about: 'a lazy page',
      params: { workload: 'lazy', noReason: 'crash' },
      checks: ['assertion'],
      expect: { verdict: 'assertion', property: EMPTY, states: 44 },
    },
    'crash-lazy-fixed': {
      formerly: 's3-crash-lazy-fixed',
      about: 'a lazy page: holding the lock is not enough',
      params: { workload: 'lazy', noReason: 'crash', zLock: 'on' },
      expect: { verdict: 'assertion', property: CRASH, states: 137 },
    },
    'no-reason-three': {
      formerly: 's3-large',
      about: 'three threads and two pages',
      params: { workload: 'zero-three' },
      expect: { verdict: 'assertion', property: CRASH, states: 1_327 },
      large: true,
    },
    'no-reason-three-fixed': {
      formerly: 's3-large-fixed',
      about: 'fixed, three threads and two pages',
      params: { workload: 'zero-three', zLock: 'on' },
      expect: { verdict: 'pass', states: 13_289 },
      large: true,
    },
    'drawn-twice': {
      formerly: 's9',
      about: 'two threads draw a committed unit for one page: the second finds none',
      params: { workload: 'lazy', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 44 },
    },
    'drawn-twice-fixed': {
      formerly: 's9-fixed',
      about: 'fixed: the lock is held',
      params: { workload: 'lazy', zLock: 'on' },
      expect: { verdict: 'pass', states: 158 },
    },
    'drawn-twice-two-pages': {
      formerly: 's9-two',
      about: 'a page is left without its unit, and the next store panics',
      params: { workload: 'lazy-two', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 414 },
    },
    'drawn-twice-two-pages-fixed': {
      formerly: 's9-two-fixed',
      about: 'fixed, two pages',
      params: { workload: 'lazy-two', zLock: 'on' },
      expect: { verdict: 'pass', states: 332 },
    },
    unbacked: {
      formerly: 's9-backed',
      about: 'a lazy page is left without its unit',
      params: { workload: 'lazy-one-used', noReason: 'tolerate' },
      checks: ['at-rest'],
      expect: { verdict: 'at-rest', property: BACKED, states: 371 },
    },
    'lost-update-fixed': {
      formerly: 's9-lost-fixed',
      about: 'fixed: no update of the count is lost',
      params: { workload: 'lazy-one-used', zLock: 'on', splitUnits: true },
      expect: { verdict: 'pass', states: 166 },
    },
    'unbacked-fixed': {
      formerly: 's9-backed-fixed',
      about: 'fixed: each lazy page keeps its unit',
      params: { workload: 'lazy-one-used', zLock: 'on' },
      expect: { verdict: 'pass', states: 158 },
    },
    'lost-update': {
      formerly: 's9-lost',
      about: 'an update of the count of units is lost',
      params: { workload: 'lazy-one-used', noReason: 'tolerate', splitUnits: true },
      checks: ['at-rest'],
      expect: { verdict: 'at-rest', property: 'committed units are conserved', states: 619 },
    },
    'not-committed': {
      formerly: 's9-zero',
      about: 'control: nothing is committed, and an allocation is wasted',
      params: { workload: 'zero', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 334 },
    },
    'not-committed-fixed': {
      formerly: 's9-zero-fixed',
      about: 'control, the lock held',
      params: { workload: 'zero', noReason: 'tolerate', zLock: 'on' },
      expect: { verdict: 'pass', states: 142 },
    },
    'drawn-twice-three': {
      formerly: 's9-large',
      about: 'three threads and two pages',
      params: { workload: 'lazy-three' },
      expect: { verdict: 'assertion', property: EMPTY, states: 514 },
      large: true,
    },
    'drawn-twice-three-fixed': {
      formerly: 's9-large-fixed',
      about: 'fixed, three threads and two pages',
      params: { workload: 'lazy-three', zLock: 'on' },
      expect: { verdict: 'pass', states: 13_841 },
      large: true,
    },
    'drawn-twice-three-pages': {
      formerly: 's9-pages',
      about: 'two threads and three pages',
      params: { workload: 'lazy-three-pages' },
      expect: { verdict: 'assertion', property: CRASH, states: 202 },
    },
    'drawn-twice-three-pages-fixed': {
      formerly: 's9-pages-fixed',
      about: 'fixed, two threads and three pages',
      params: { workload: 'lazy-three-pages', zLock: 'on' },
      expect: { verdict: 'pass', states: 1_428 },
    },
  },
  machine(m, params) {
    const { slots, threads }: Workload = WORKLOADS[params.workload]
    const switches: Switches = {
      ...FROM_2022,
      dispatch: 'slot-cow',
      zLock: params.zLock === 'on',
      splitUnits: params.splitUnits,
      noReason: params.noReason,
    }
    const kernel = makeKernel(m, switches, {
      processes: [{ name: 'process', set: null, slots }],
      sets: [],
      uncommitted: slots.length + threads.length,
      cpus: threads.length,
    })
    const [process] = kernel.processes as [Storer['process']]
    const storers = threads.map((pages, cpu): Storer => ({
      process,
      cpu,
      pages,
      cell: cpu,
      retries: params.retries || null,
    }))
    for (const { cpu } of storers) process.pageTable.bind(cpu)
    for (const who of storers) m.thread(storer(kernel, who))
    properties(m, kernel, storers)
    m.atRest(BACKED, () => lazyPagesAreBacked([process]))
    m.sometimes('two threads are in a fault at once', () => kernel.faulting.filter(({ inside }) => inside).length > 1)
  },
})
