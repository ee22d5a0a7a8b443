// SerenityOS: two copy-on-write faults at once, within a process and between the two sides of a fork.
//
// Claim 1 (S1): a fault gives the object's lock back before it rewrites the page table, and decides before it takes it:
//   another thread then finds no reason for its fault and kills the process, or takes the first one's new page for a
//   shared one, frees it under its user and loses what is written there. 15ada92d930 keeps the lock and adds a global
//   one; dac08384a06 lets a fault that finds no reason try again.
// Claim 2 (S2): the two sides of a fork have objects, and locks, of their own, but share frames and the set of committed
//   pages: both find one unit left, both take it. Only the global lock orders them.
// Claim 3: neither repair keeps a page from taking two units out of the set. Looking at the bit again under the lock does.
//
// Source: SerenityOS 5f37b60744d and history; the tables of each scenario were found with a model, not upstream.
import { boolean, choice, int, model } from 'vmcheck'
import { noTranslationToFree } from 'vmcheck/vm'
import { type InitialProcess, type Switches, V1, makeKernel } from './serenity/kernel.ts'
import { type Storer, properties, storer } from './serenity/user.ts'

const FIXED: Switches = { ...V1, holdV: true, cowLock: true, zLock: true, dispatch: 'slot-cow' }

const KERNELS: Readonly<Record<'buggy' | 'hold' | 'fixed' | 'recheck' | 'recheck-together', Switches>> = {
  buggy: V1,
  hold: { ...FIXED, cowLock: false },
  fixed: FIXED,
  recheck: { ...FIXED, recheck: true },
  'recheck-together': { ...FIXED, recheck: true, dispatch: 'together' },
}

interface Workload {
  readonly processes: readonly InitialProcess[]
  readonly sets: readonly number[]
  readonly uncommitted: number
  /** Process and pages of each thread. */
  readonly threads: readonly (readonly [process: number, ...pages: number[]])[]
}

const one = ['frame'] as const
const two = ['frame', 'frame'] as const

/** A process that runs, and its child that does not. */
function within(slots: InitialProcess['slots'], threads: Workload['threads']): Workload {
  const set = 0
  return {
    processes: [
      { name: 'parent', set, slots },
      { name: 'child', set, slots },
    ],
    sets: [slots.length],
    uncommitted: threads.length + slots.length,
    threads,
  }
}

const WORKLOADS = {
  'one-page': within(one, [
    [0, 0],
    [0, 0],
  ]),
  'two-pages-one-used': within(two, [
    [0, 0],
    [0, 0],
  ]),
  'two-pages': within(two, [
    [0, 0, 1],
    [0, 0, 1],
  ]),
  'three-threads': within(one, [
    [0, 0],
    [0, 0],
    [0, 0],
  ]),
  'three-threads-two-pages': within(two, [
    [0, 0, 1],
    [0, 0, 1],
    [0, 0, 1],
  ]),
  'fork-one-page': {
    ...within(one, [
      [0, 0],
      [1, 0],
    ]),
    uncommitted: 4,
  },
  'fork-two-pages': {
    ...within(two, [
      [0, 0, 1],
      [1, 0, 1],
    ]),
    uncommitted: 4,
  },
  'fork-apart': {
    ...within(two, [
      [0, 0],
      [1, 1],
    ]),
    uncommitted: 4,
  },
  'fork-overlap': {
    ...within(two, [
      [0, 0, 1],
      [1, 0],
    ]),
    uncommitted: 4,
  },
  'fork-no-set': {
    processes: [
      { name: 'parent', set: null, forked: true, slots: one },
      { name: 'child', set: null, forked: true, slots: one },
    ],
    sets: [],
    uncommitted: 4,
    threads: [
      [0, 0],
      [1, 0],
    ],
  },
  'three-processes': {
    processes: [
      { name: 'parent', set: 1, slots: one },
      { name: 'first child', set: 0, slots: one },
      { name: 'second child', set: 1, slots: one },
    ],
    sets: [1, 1],
    uncommitted: 4,
    threads: [
      [0, 0],
      [1, 0],
      [2, 0],
    ],
  },
  'two-by-two': {
    ...within(one, [
      [0, 0],
      [0, 0],
      [1, 0],
      [1, 0],
    ]),
    uncommitted: 5,
  },
} as const satisfies Record<string, Workload>

const CRASH = 'a legal access is not answered by a crash'
const FREE = 'no store lands in a free frame'
const EMPTY = 'a unit is taken from a set that has one'
const UNIT = 'a page takes at most one unit'
const RETRY = 'a store takes no more faults than it may'
const STALE = 'nothing that can be reached is ever free'

export default model({
  title: 'SerenityOS: concurrent copy-on-write faults',
  params: {
    workload: choice(
      'one-page',
      'two-pages-one-used',
      'two-pages',
      'three-threads',
      'three-threads-two-pages',
      'fork-one-page',
      'fork-two-pages',
      'fork-apart',
      'fork-overlap',
      'fork-no-set',
      'three-processes',
      'two-by-two',
    ),
    kernel: choice('buggy', 'hold', 'fixed', 'recheck', 'recheck-together'),
    /** What a fault without a reason does. */
    noReason: choice('crash', 'tolerate', 'assert'),
    /** Whether the dispatcher holds a reference to the frame. */
    dref: boolean(true),
    splitRef: boolean(false),
    /** Faults that a store may take; 0: any number. */
    retries: int(0, { min: 0, max: 4 }),
    /** Whether a second unit for one page is a violation. */
    oneUnit: boolean(false),
    /** Whether a mapping to a free frame is one, also while a fault is running. */
    noStaleMap: boolean(false),
  },
  scenarios: {
    's1-crash': {
      about: 'S1.1: a legal store kills the process',
      expect: { verdict: 'assertion', property: CRASH, states: 163 },
    },
    's1-crash-fixed': {
      about: 'S1.1: the locks alone do not help',
      params: { kernel: 'fixed' },
      expect: { verdict: 'assertion', property: CRASH, states: 215 },
    },
    's1-crash-recheck': {
      about: 'S1.1: nor does looking again',
      params: { kernel: 'recheck' },
      expect: { verdict: 'assertion', property: CRASH, states: 215 },
    },
    s1: {
      about: 'S1.2: a store lands in a page that the other thread has freed',
      params: { noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: FREE, states: 966 },
    },
    's1-lost': {
      about: 'S1.3: or is lost',
      params: { noReason: 'tolerate' },
      checks: ['at-rest'],
      expect: { verdict: 'at-rest', property: 'every store is in the page', states: 1_262 },
    },
    's1-fixed': {
      about: 'S1 with 15ada92d930',
      params: { kernel: 'fixed', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 405 },
    },
    's1-recheck': {
      about: 'S1, looking again',
      params: { kernel: 'recheck', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 342 },
    },
    's1-dref': {
      about: 'S1.2 without the dispatcher’s reference',
      params: { noReason: 'tolerate', dref: false },
      expect: { verdict: 'assertion', property: FREE, states: 843 },
    },
    's1-dref-fixed': {
      about: 'S1 without the dispatcher’s reference, with 15ada92d930',
      params: { kernel: 'fixed', noReason: 'tolerate', dref: false },
      expect: { verdict: 'pass', states: 317 },
    },
    's1-dref-recheck': {
      about: 'S1 without the dispatcher’s reference, looking again',
      params: { kernel: 'recheck', noReason: 'tolerate', dref: false },
      expect: { verdict: 'pass', states: 277 },
    },
    's1-split': {
      about: 'S1: a reference is copied in two steps, and a free frame is counted',
      params: { noReason: 'tolerate', splitRef: true },
      expect: { verdict: 'assertion', property: FREE, states: 1_084 },
    },
    's1-split-fixed': {
      about: 'S1 with references copied in two steps and 15ada92d930',
      params: { kernel: 'fixed', noReason: 'tolerate', splitRef: true },
      expect: { verdict: 'pass', states: 425 },
    },
    's1-split-recheck': {
      about: 'S1 with references copied in two steps, looking again',
      params: { kernel: 'recheck', noReason: 'tolerate', splitRef: true },
      expect: { verdict: 'pass', states: 362 },
    },
    's1-retry2': {
      about: 'S1: a store takes more than two faults',
      params: { noReason: 'tolerate', retries: 2 },
      expect: { verdict: 'assertion', property: RETRY, states: 269 },
    },
    's1-retry2-fixed': {
      about: 'S1: with 15ada92d930 it does not',
      params: { kernel: 'fixed', noReason: 'tolerate', retries: 2 },
      expect: { verdict: 'pass', states: 469 },
    },
    's1-retry2-recheck': {
      about: 'S1: nor when looking again',
      params: { kernel: 'recheck', noReason: 'tolerate', retries: 2 },
      expect: { verdict: 'pass', states: 406 },
    },
    's1-retry1': {
      about: 'S1: a store takes more than one fault',
      params: { noReason: 'tolerate', retries: 1 },
      expect: { verdict: 'assertion', property: RETRY, states: 179 },
    },
    's1-retry1-fixed': {
      about: 'S1: also with 15ada92d930',
      params: { kernel: 'fixed', noReason: 'tolerate', retries: 1 },
      expect: { verdict: 'assertion', property: RETRY, states: 233 },
    },
    's1-retry1-recheck': {
      about: 'S1: also when looking again',
      params: { kernel: 'recheck', noReason: 'tolerate', retries: 1 },
      expect: { verdict: 'assertion', property: RETRY, states: 233 },
    },
    's1-retry1-together': {
      about: 'S1: unless slot and bit are read together',
      params: { kernel: 'recheck-together', noReason: 'tolerate', retries: 1 },
      expect: { verdict: 'pass', states: 263 },
    },
    's1-unit': {
      about: 'S1.4: a page takes two units',
      params: { workload: 'two-pages-one-used', noReason: 'tolerate', oneUnit: true },
      expect: { verdict: 'assertion', property: UNIT, states: 471 },
    },
    's1-unit-fixed': {
      about: 'S1.4: also with 15ada92d930',
      params: { workload: 'two-pages-one-used', kernel: 'fixed', noReason: 'tolerate', oneUnit: true },
      expect: { verdict: 'assertion', property: UNIT, states: 358 },
    },
    's1-unit-recheck': {
      about: 'S1.4: looking again prevents it',
      params: { workload: 'two-pages-one-used', kernel: 'recheck', noReason: 'tolerate', oneUnit: true },
      expect: { verdict: 'pass', states: 342 },
    },
    's1-two': {
      about: 'S1 with two pages',
      params: { workload: 'two-pages', noReason: 'tolerate', retries: 2 },
      expect: { verdict: 'assertion', property: RETRY, states: 275 },
    },
    's1-two-fixed': {
      about: 'S1 with two pages and 15ada92d930',
      params: { workload: 'two-pages', kernel: 'fixed', noReason: 'tolerate', retries: 2 },
      expect: { verdict: 'pass', states: 2_434 },
    },
    's1-two-recheck': {
      about: 'S1 with two pages, looking again',
      params: { workload: 'two-pages', kernel: 'recheck', noReason: 'tolerate', retries: 2 },
      expect: { verdict: 'pass', states: 1_675 },
    },
    's1-three': {
      about: 'S1 with three threads',
      params: { workload: 'three-threads', noReason: 'tolerate', dref: false, retries: 3 },
      expect: { verdict: 'assertion', property: RETRY, states: 3_642 },
    },
    's1-three-fixed': {
      about: 'S1 with three threads and 15ada92d930',
      params: { workload: 'three-threads', kernel: 'fixed', noReason: 'tolerate', dref: false, retries: 3 },
      expect: { verdict: 'pass', states: 5_391 },
      large: true,
    },
    's1-three-recheck': {
      about: 'S1 with three threads, looking again',
      params: { workload: 'three-threads', kernel: 'recheck', noReason: 'tolerate', dref: false, retries: 3 },
      expect: { verdict: 'pass', states: 4_099 },
      large: true,
    },
    's1-three-two': {
      about: 'S1 with three threads and two pages',
      params: { workload: 'three-threads-two-pages', noReason: 'tolerate', retries: 3 },
      expect: { verdict: 'assertion', property: RETRY, states: 3_885 },
    },
    's1-three-two-recheck': {
      about: 'S1 with three threads and two pages, looking again',
      params: { workload: 'three-threads-two-pages', kernel: 'recheck', noReason: 'tolerate', retries: 3 },
      expect: { verdict: 'pass', states: 54_516 },
      large: true,
    },
    s2: {
      about: 'S2, parent and child: both take the last unit',
      params: { workload: 'fork-one-page', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 383 },
    },
    's2-hold': {
      about: 'S2, parent and child: the object’s lock alone does not help',
      params: { workload: 'fork-one-page', kernel: 'hold', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 385 },
    },
    's2-fixed': {
      about: 'S2, parent and child, with the global lock',
      params: { workload: 'fork-one-page', kernel: 'fixed', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 422 },
    },
    's2-two': {
      about: 'S2, two pages: both take the last unit',
      params: { workload: 'fork-two-pages', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 1_702 },
    },
    's2-two-hold': {
      about: 'S2, two pages: the object’s lock alone does not help',
      params: { workload: 'fork-two-pages', kernel: 'hold', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 1_704 },
    },
    's2-two-fixed': {
      about: 'S2, two pages, with the global lock',
      params: { workload: 'fork-two-pages', kernel: 'fixed', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 2_790 },
    },
    's2-overlap': {
      about: 'S2, the parent on both pages, the child on one: both take the last unit',
      params: { workload: 'fork-overlap', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 1_281 },
    },
    's2-overlap-hold': {
      about: 'S2, the parent on both pages, the child on one: the object’s lock alone does not help',
      params: { workload: 'fork-overlap', kernel: 'hold', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 1_283 },
    },
    's2-overlap-fixed': {
      about: 'S2, the parent on both pages, the child on one, with the global lock',
      params: { workload: 'fork-overlap', kernel: 'fixed', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 940 },
    },
    's2-dref': {
      about: 'S2 without the dispatcher’s reference',
      params: { workload: 'fork-one-page', noReason: 'tolerate', dref: false },
      expect: { verdict: 'assertion', property: EMPTY, states: 312 },
    },
    's2-dref-hold': {
      about: 'S2 without the dispatcher’s reference, the object’s lock alone',
      params: { workload: 'fork-one-page', kernel: 'hold', noReason: 'tolerate', dref: false },
      expect: { verdict: 'assertion', property: EMPTY, states: 312 },
    },
    's2-dref-fixed': {
      about: 'S2 without the dispatcher’s reference, with the global lock',
      params: { workload: 'fork-one-page', kernel: 'fixed', noReason: 'tolerate', dref: false },
      expect: { verdict: 'pass', states: 293 },
    },
    's2-apart': {
      about: 'S2 control: parent and child on different pages',
      params: { workload: 'fork-apart', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 816 },
    },
    's2-apart-hold': {
      about: 'S2 control: parent and child on different pages',
      params: { workload: 'fork-apart', kernel: 'hold', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 816 },
    },
    's2-apart-fixed': {
      about: 'S2 control: parent and child on different pages',
      params: { workload: 'fork-apart', kernel: 'fixed', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 414 },
    },
    's2-stale': {
      about: 'S2 without a set: a page table maps a free frame',
      params: { workload: 'fork-no-set', noReason: 'tolerate', dref: false, noStaleMap: true },
      expect: { verdict: 'invariant', property: STALE, states: 270 },
    },
    's2-stale-hold': {
      about: 'S2 without a set: a page table maps a free frame',
      params: { workload: 'fork-no-set', kernel: 'hold', noReason: 'tolerate', dref: false, noStaleMap: true },
      expect: { verdict: 'invariant', property: STALE, states: 270 },
    },
    's2-stale-fixed': {
      about: 'S2 without a set: a page table maps a free frame',
      params: { workload: 'fork-no-set', kernel: 'fixed', noReason: 'tolerate', dref: false, noStaleMap: true },
      expect: { verdict: 'pass', states: 223 },
    },
    's2-stale-dref': {
      about: 'S2 without a set: the dispatcher’s reference hides it',
      params: { workload: 'fork-no-set', noReason: 'tolerate', noStaleMap: true },
      expect: { verdict: 'pass', states: 621 },
    },
    's2-stale-dref-hold': {
      about: 'S2 without a set: the dispatcher’s reference hides it',
      params: { workload: 'fork-no-set', kernel: 'hold', noReason: 'tolerate', noStaleMap: true },
      expect: { verdict: 'pass', states: 623 },
    },
    's2-stale-dref-fixed': {
      about: 'S2 without a set: the dispatcher’s reference hides it',
      params: { workload: 'fork-no-set', kernel: 'fixed', noReason: 'tolerate', noStaleMap: true },
      expect: { verdict: 'pass', states: 332 },
    },
    's2-three': {
      about: 'S2 with three processes and two sets',
      params: { workload: 'three-processes', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 3_441 },
      large: true,
    },
    's2-three-hold': {
      about: 'S2 with three processes, the objects’ locks alone',
      params: { workload: 'three-processes', kernel: 'hold', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 3_522 },
      large: true,
    },
    's2-three-fixed': {
      about: 'S2 with three processes and the global lock',
      params: { workload: 'three-processes', kernel: 'fixed', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 6_138 },
    },
    's2-four': {
      about: 'S2 with two threads on each side',
      params: { workload: 'two-by-two', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 16_705 },
      large: true,
    },
    's2-four-recheck': {
      about: 'S2 with two threads on each side, looking again',
      params: { workload: 'two-by-two', kernel: 'recheck', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 63_861 },
      large: true,
    },
  },
  machine(m, params) {
    const workload: Workload = WORKLOADS[params.workload]
    const kernel = makeKernel(
      m,
      { ...KERNELS[params.kernel], noReason: params.noReason, dref: params.dref, splitRef: params.splitRef },
      { ...workload, cpus: workload.threads.length, watches: { oneUnit: params.oneUnit } },
    )
    const { processes } = kernel
    const storers = workload.threads.map(([process, ...pages], cpu): Storer => ({
      process: processes[process] as Storer['process'],
      cpu,
      pages,
      cell: cpu,
      retries: params.retries || null,
    }))
    for (const { process, cpu } of storers) process.pageTable.bind(cpu)
    for (const who of storers) m.thread(storer(kernel, who))
    properties(m, kernel, storers)
    if (params.noStaleMap) m.always(STALE, () => noTranslationToFree(processes.map(({ pageTable }) => pageTable)))
    m.sometimes('a page is copied', () =>
      processes.some(({ slots }) => slots.some(({ frame }, page) => frame !== processes[0]?.slots[page]?.frame)),
    )
    m.sometimes('two threads are in a fault at once', () => kernel.faulting.filter(({ inside }) => inside).length > 1)
  },
})
