// SerenityOS: two copy-on-write faults at once, within a process and between the two sides of a fork.
//
// Claim 1 (crash to three-threads-*): a fault releases the object's lock before it rewrites the page table, and decides
//   what to do before it takes the lock. Another thread then finds no reason for its fault, and its process is killed;
//   or it takes the first thread's new page for a shared one, frees it under its user and loses what is written there.
//   15ada92d930 keeps the lock and adds a global one; dac08384a06 lets a fault that finds no reason try again.
// Claim 2 (fork-* and below): the two sides of a fork have objects, and locks, of their own, but share frames and the
//   set of committed pages: both find one unit left, both take it. Only the global lock orders them.
// Claim 3 (one-unit-*): neither repair keeps a page from taking two units out of the set. Checking the bit again under
//   the lock does.
//
// Source: SerenityOS 5f37b60744d and history; the tables of each scenario were found with a model, not upstream.
import { boolean, choice, int, model } from 'vmcheck'
import { noTranslationToFree } from 'vmcheck/vm'
import { type InitialProcess, type Switches, FROM_2022, makeKernel } from './serenity/kernel.ts'
import { type Storer, properties, storer } from './serenity/user.ts'

const FIXED: Switches = { ...FROM_2022, holdV: true, cowLock: true, zLock: true, dispatch: 'slot-cow' }

const KERNELS: Readonly<Record<'buggy' | 'hold' | 'fixed' | 'recheck' | 'recheck-together', Switches>> = {
  buggy: FROM_2022,
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

const CRASH = 'a legal access does not kill the process'
const FREE = 'no store lands in a free frame'
const EMPTY = 'a unit is taken from a set that has one'
const UNIT = 'a page takes at most one unit'
const RETRY = 'a store takes no more faults than it may'
const STALE = 'no frame that can be reached is ever free'

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
    crash: {
      formerly: 's1-crash',
      about: 'a legal store finds no reason for its fault, and the process is killed',
      expect: { verdict: 'assertion', property: CRASH, states: 163 },
    },
    'crash-fixed': {
      formerly: 's1-crash-fixed',
      about: 'the locks alone do not help',
      params: { kernel: 'fixed' },
      expect: { verdict: 'assertion', property: CRASH, states: 215 },
    },
    'crash-recheck': {
      formerly: 's1-crash-recheck',
      about: 'checking again under the lock does not help either',
      params: { kernel: 'recheck' },
      expect: { verdict: 'assertion', property: CRASH, states: 215 },
    },
    freed: {
      formerly: 's1',
      about: 'a store lands in a page that the other thread has freed',
      params: { noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: FREE, states: 950 },
    },
    'lost-store': {
      formerly: 's1-lost',
      about: 'or the store is lost',
      params: { noReason: 'tolerate' },
      checks: ['at-rest'],
      expect: { verdict: 'at-rest', property: 'every store is in the page', states: 1_246 },
    },
    'freed-fixed': {
      formerly: 's1-fixed',
      about: 'fixed by 15ada92d930',
      params: { kernel: 'fixed', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 405 },
    },
    'freed-recheck': {
      formerly: 's1-recheck',
      about: 'fixed by checking again under the lock',
      params: { kernel: 'recheck', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 342 },
    },
    'no-reference': {
      formerly: 's1-dref',
      about: 'without the dispatcher’s reference',
      params: { noReason: 'tolerate', dref: false },
      expect: { verdict: 'assertion', property: FREE, states: 843 },
    },
    'no-reference-fixed': {
      formerly: 's1-dref-fixed',
      about: 'fixed by 15ada92d930, without the dispatcher’s reference',
      params: { kernel: 'fixed', noReason: 'tolerate', dref: false },
      expect: { verdict: 'pass', states: 317 },
    },
    'no-reference-recheck': {
      formerly: 's1-dref-recheck',
      about: 'fixed by checking again, without the dispatcher’s reference',
      params: { kernel: 'recheck', noReason: 'tolerate', dref: false },
      expect: { verdict: 'pass', states: 277 },
    },
    'split-reference': {
      formerly: 's1-split',
      about: 'a reference is copied in two steps: a free frame is counted',
      params: { noReason: 'tolerate', splitRef: true },
      expect: { verdict: 'assertion', property: FREE, states: 1_068 },
    },
    'split-reference-fixed': {
      formerly: 's1-split-fixed',
      about: 'fixed by 15ada92d930, references copied in two steps',
      params: { kernel: 'fixed', noReason: 'tolerate', splitRef: true },
      expect: { verdict: 'pass', states: 425 },
    },
    'split-reference-recheck': {
      formerly: 's1-split-recheck',
      about: 'fixed by checking again, references copied in two steps',
      params: { kernel: 'recheck', noReason: 'tolerate', splitRef: true },
      expect: { verdict: 'pass', states: 362 },
    },
    'retry-2': {
      formerly: 's1-retry2',
      about: 'a store takes more than two faults',
      params: { noReason: 'tolerate', retries: 2 },
      expect: { verdict: 'assertion', property: RETRY, states: 269 },
    },
    'retry-2-fixed': {
      formerly: 's1-retry2-fixed',
      about: 'with 15ada92d930 it takes at most two',
      params: { kernel: 'fixed', noReason: 'tolerate', retries: 2 },
      expect: { verdict: 'pass', states: 469 },
    },
    'retry-2-recheck': {
      formerly: 's1-retry2-recheck',
      about: 'and when the fault checks again',
      params: { kernel: 'recheck', noReason: 'tolerate', retries: 2 },
      expect: { verdict: 'pass', states: 406 },
    },
    'retry-1': {
      formerly: 's1-retry1',
      about: 'a store takes more than one fault',
      params: { noReason: 'tolerate', retries: 1 },
      expect: { verdict: 'assertion', property: RETRY, states: 179 },
    },
    'retry-1-fixed': {
      formerly: 's1-retry1-fixed',
      about: 'also with 15ada92d930',
      params: { kernel: 'fixed', noReason: 'tolerate', retries: 1 },
      expect: { verdict: 'assertion', property: RETRY, states: 233 },
    },
    'retry-1-recheck': {
      formerly: 's1-retry1-recheck',
      about: 'also when the fault checks again',
      params: { kernel: 'recheck', noReason: 'tolerate', retries: 1 },
      expect: { verdict: 'assertion', property: RETRY, states: 233 },
    },
    'retry-1-together': {
      formerly: 's1-retry1-together',
      about: 'at most one fault if slot and bit are read together',
      params: { kernel: 'recheck-together', noReason: 'tolerate', retries: 1 },
      expect: { verdict: 'pass', states: 263 },
    },
    'one-unit': {
      formerly: 's1-unit',
      about: 'a page takes two units of the committed set',
      params: { workload: 'two-pages-one-used', noReason: 'tolerate', oneUnit: true },
      expect: { verdict: 'assertion', property: UNIT, states: 463 },
    },
    'one-unit-fixed': {
      formerly: 's1-unit-fixed',
      about: 'also with 15ada92d930',
      params: { workload: 'two-pages-one-used', kernel: 'fixed', noReason: 'tolerate', oneUnit: true },
      expect: { verdict: 'assertion', property: UNIT, states: 358 },
    },
    'one-unit-recheck': {
      formerly: 's1-unit-recheck',
      about: 'fixed by checking again under the lock',
      params: { workload: 'two-pages-one-used', kernel: 'recheck', noReason: 'tolerate', oneUnit: true },
      expect: { verdict: 'pass', states: 342 },
    },
    'two-pages': {
      formerly: 's1-two',
      about: 'two pages',
      params: { workload: 'two-pages', noReason: 'tolerate', retries: 2 },
      expect: { verdict: 'assertion', property: RETRY, states: 275 },
    },
    'two-pages-fixed': {
      formerly: 's1-two-fixed',
      about: 'fixed by 15ada92d930, two pages',
      params: { workload: 'two-pages', kernel: 'fixed', noReason: 'tolerate', retries: 2 },
      expect: { verdict: 'pass', states: 2_434 },
    },
    'two-pages-recheck': {
      formerly: 's1-two-recheck',
      about: 'fixed by checking again, two pages',
      params: { workload: 'two-pages', kernel: 'recheck', noReason: 'tolerate', retries: 2 },
      expect: { verdict: 'pass', states: 1_675 },
    },
    'three-threads': {
      formerly: 's1-three',
      about: 'three threads',
      params: { workload: 'three-threads', noReason: 'tolerate', dref: false, retries: 3 },
      expect: { verdict: 'assertion', property: RETRY, states: 3_642 },
    },
    'three-threads-fixed': {
      formerly: 's1-three-fixed',
      about: 'fixed by 15ada92d930, three threads',
      params: { workload: 'three-threads', kernel: 'fixed', noReason: 'tolerate', dref: false, retries: 3 },
      expect: { verdict: 'pass', states: 5_391 },
      large: true,
    },
    'three-threads-recheck': {
      formerly: 's1-three-recheck',
      about: 'fixed by checking again, three threads',
      params: { workload: 'three-threads', kernel: 'recheck', noReason: 'tolerate', dref: false, retries: 3 },
      expect: { verdict: 'pass', states: 4_099 },
      large: true,
    },
    'three-threads-two-pages': {
      formerly: 's1-three-two',
      about: 'three threads and two pages',
      params: { workload: 'three-threads-two-pages', noReason: 'tolerate', retries: 3 },
      expect: { verdict: 'assertion', property: RETRY, states: 3_879 },
    },
    'three-threads-two-pages-recheck': {
      formerly: 's1-three-two-recheck',
      about: 'fixed by checking again, three threads and two pages',
      params: { workload: 'three-threads-two-pages', kernel: 'recheck', noReason: 'tolerate', retries: 3 },
      expect: { verdict: 'pass', states: 54_516 },
      large: true,
    },
    fork: {
      formerly: 's2',
      about: 'parent and child both take the last unit of the committed set',
      params: { workload: 'fork-one-page', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 361 },
    },
    'fork-object-lock': {
      formerly: 's2-hold',
      about: 'keeping the object’s lock does not help: each side has its own',
      params: { workload: 'fork-one-page', kernel: 'hold', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 361 },
    },
    'fork-global-lock': {
      formerly: 's2-fixed',
      about: 'fixed by the global lock',
      params: { workload: 'fork-one-page', kernel: 'fixed', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 414 },
    },
    'fork-two-pages': {
      formerly: 's2-two',
      about: 'two pages: both sides take the last unit',
      params: { workload: 'fork-two-pages', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 1_596 },
    },
    'fork-two-pages-object-lock': {
      formerly: 's2-two-hold',
      about: 'two pages: keeping the object’s lock does not help',
      params: { workload: 'fork-two-pages', kernel: 'hold', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 1_596 },
    },
    'fork-two-pages-global-lock': {
      formerly: 's2-two-fixed',
      about: 'fixed by the global lock, two pages',
      params: { workload: 'fork-two-pages', kernel: 'fixed', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 2_744 },
    },
    'fork-overlap': {
      formerly: 's2-overlap',
      about: 'the parent stores to both pages, the child to one: both take the last unit',
      params: { workload: 'fork-overlap', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 1_205 },
    },
    'fork-overlap-object-lock': {
      formerly: 's2-overlap-hold',
      about: 'the same: keeping the object’s lock does not help',
      params: { workload: 'fork-overlap', kernel: 'hold', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 1_205 },
    },
    'fork-overlap-global-lock': {
      formerly: 's2-overlap-fixed',
      about: 'fixed by the global lock, the parent on both pages, the child on one',
      params: { workload: 'fork-overlap', kernel: 'fixed', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 927 },
    },
    'fork-no-reference': {
      formerly: 's2-dref',
      about: 'without the dispatcher’s reference',
      params: { workload: 'fork-one-page', noReason: 'tolerate', dref: false },
      expect: { verdict: 'assertion', property: EMPTY, states: 312 },
    },
    'fork-no-reference-object-lock': {
      formerly: 's2-dref-hold',
      about: 'without the dispatcher’s reference: keeping the object’s lock does not help',
      params: { workload: 'fork-one-page', kernel: 'hold', noReason: 'tolerate', dref: false },
      expect: { verdict: 'assertion', property: EMPTY, states: 312 },
    },
    'fork-no-reference-global-lock': {
      formerly: 's2-dref-fixed',
      about: 'fixed by the global lock, without the dispatcher’s reference',
      params: { workload: 'fork-one-page', kernel: 'fixed', noReason: 'tolerate', dref: false },
      expect: { verdict: 'pass', states: 293 },
    },
    'fork-apart': {
      formerly: 's2-apart',
      about: 'control: parent and child store to different pages',
      params: { workload: 'fork-apart', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 816 },
    },
    'fork-apart-object-lock': {
      formerly: 's2-apart-hold',
      about: 'control: different pages, the object’s lock kept',
      params: { workload: 'fork-apart', kernel: 'hold', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 816 },
    },
    'fork-apart-global-lock': {
      formerly: 's2-apart-fixed',
      about: 'control: different pages, the global lock',
      params: { workload: 'fork-apart', kernel: 'fixed', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 414 },
    },
    'stale-map': {
      formerly: 's2-stale',
      about: 'without a committed set: a page table maps a free frame',
      params: { workload: 'fork-no-set', noReason: 'tolerate', dref: false, noStaleMap: true },
      expect: { verdict: 'invariant', property: STALE, states: 270 },
    },
    'stale-map-object-lock': {
      formerly: 's2-stale-hold',
      about: 'also with the object’s lock kept',
      params: { workload: 'fork-no-set', kernel: 'hold', noReason: 'tolerate', dref: false, noStaleMap: true },
      expect: { verdict: 'invariant', property: STALE, states: 270 },
    },
    'stale-map-global-lock': {
      formerly: 's2-stale-fixed',
      about: 'fixed by the global lock',
      params: { workload: 'fork-no-set', kernel: 'fixed', noReason: 'tolerate', dref: false, noStaleMap: true },
      expect: { verdict: 'pass', states: 223 },
    },
    'stale-map-referenced': {
      formerly: 's2-stale-dref',
      about: 'the dispatcher’s reference hides it',
      params: { workload: 'fork-no-set', noReason: 'tolerate', noStaleMap: true },
      expect: { verdict: 'pass', states: 585 },
    },
    'stale-map-referenced-object-lock': {
      formerly: 's2-stale-dref-hold',
      about: 'the dispatcher’s reference hides it, the object’s lock kept',
      params: { workload: 'fork-no-set', kernel: 'hold', noReason: 'tolerate', noStaleMap: true },
      expect: { verdict: 'pass', states: 585 },
    },
    'stale-map-referenced-global-lock': {
      formerly: 's2-stale-dref-fixed',
      about: 'with the dispatcher’s reference and the global lock',
      params: { workload: 'fork-no-set', kernel: 'fixed', noReason: 'tolerate', noStaleMap: true },
      expect: { verdict: 'pass', states: 324 },
    },
    'three-processes': {
      formerly: 's2-three',
      about: 'three processes and two committed sets',
      params: { workload: 'three-processes', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 3_027 },
      large: true,
    },
    'three-processes-object-lock': {
      formerly: 's2-three-hold',
      about: 'three processes: keeping the object’s lock does not help',
      params: { workload: 'three-processes', kernel: 'hold', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 3_027 },
      large: true,
    },
    'three-processes-global-lock': {
      formerly: 's2-three-fixed',
      about: 'fixed by the global lock, three processes',
      params: { workload: 'three-processes', kernel: 'fixed', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 5_886 },
    },
    'two-by-two': {
      formerly: 's2-four',
      about: 'two threads on each side',
      params: { workload: 'two-by-two', noReason: 'tolerate' },
      expect: { verdict: 'assertion', property: EMPTY, states: 15_233 },
      large: true,
    },
    'two-by-two-recheck': {
      formerly: 's2-four-recheck',
      about: 'fixed, two threads on each side',
      params: { workload: 'two-by-two', kernel: 'recheck', noReason: 'tolerate' },
      expect: { verdict: 'pass', states: 62_501 },
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
