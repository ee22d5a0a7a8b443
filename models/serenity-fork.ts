// SerenityOS: how much memory a fork commits, and which process gives it back.
//
// Claim 1 (commit-*): committing memory for pages that have no frame yet makes forks fail for nothing. A store to such
//   a page draws from the object's own units or from the uncommitted pages, never from the set. Fixed by 8717e78918b
//   and 2a164dc923d.
// Claim 2 (marked-*): when such pages are marked copy-on-write, the first store to one faults twice, and the second
//   fault copies the page, or gives a unit away, for nothing. Fixed by 8812410617f.
// Claim 3 (child-exit-*): a child that exits leaves its parent with a set of units for pages that are no longer shared.
//   Fixed by 1d96c30488a.
// Claim 4 (sibling-*, still there): a fork remaps the parent's pages with the lock of the page tables held and takes
//   the object's lock for each; a fault of another of its threads takes them in the other order: a deadlock.
//
// Source: SerenityOS, the commits named (2024 and 2022), and 5f37b60744d; claim 4 found by reading.
import { type Program, atomically, bool, boolean, choice, int, model, struct, when } from 'vmcheck'
import { exit, fork } from './serenity/fork.ts'
import { type Kernel, type Process, type Slot, type Switches, FROM_2026, makeKernel } from './serenity/kernel.ts'
import { type Storer, lazyPagesAreBacked, properties, storer } from './serenity/user.ts'

const StageStruct = struct<{ forked: boolean }>('stage', { forked: bool })

/** Kinds of the parent's pages; `any`: as the search chooses. */
const PAGES = {
  'real-lazy': ['frame', 'lazy'],
  'real-zero': ['frame', 'zero'],
  lazy: ['lazy'],
  zero: ['zero', 'zero'],
  real: ['frame'],
  'real-two': ['frame', 'frame'],
  'real-lazy-zero': ['frame', 'lazy', 'zero'],
  any: ['zero', 'zero', 'zero'],
} as const satisfies Record<string, readonly Slot['kind'][]>

/** What happens around the fork. */
interface Workload {
  /** Pages that the parent stores to after it. */
  readonly parent: readonly number[]
  /** Pages that the child stores to. */
  readonly child: readonly number[]
  readonly childExits: boolean
  readonly parentExits?: boolean
  /** Another thread of the parent stores to these pages, also while the parent forks. */
  readonly sibling?: readonly number[]
  /** The parent forks again before the child exits, or the child does. */
  readonly again?: 'parent' | 'child'
}

const WORKLOADS: Readonly<
  Record<
    | 'fork'
    | 'store'
    | 'exit'
    | 'stores-exit'
    | 'store-exit'
    | 'fork-exit'
    | 'all-exit'
    | 'fork-fork'
    | 'grandchild'
    | 'both-exit'
    | 'sibling'
    | 'sibling-fault',
    Workload
  >
> = {
  fork: { parent: [], child: [], childExits: false },
  store: { parent: [1], child: [], childExits: false },
  exit: { parent: [], child: [], childExits: true },
  'stores-exit': { parent: [0, 1], child: [0], childExits: true },
  'store-exit': { parent: [0], child: [], childExits: true },
  'fork-exit': { parent: [], child: [], childExits: true, again: 'parent' },
  'all-exit': { parent: [0, 1, 2], child: [0, 1, 2], childExits: true },
  'fork-fork': { parent: [0, 1, 2], child: [], childExits: false, again: 'parent' },
  'both-exit': { parent: [], child: [], childExits: true, parentExits: true },
  sibling: { parent: [], child: [0], childExits: false, sibling: [0] },
  'sibling-fault': { parent: [], child: [], childExits: false, sibling: [1] },
  grandchild: { parent: [], child: [0, 1, 2], childExits: false, again: 'child' },
}

/** The pages of `any` become what the search chooses. */
function* choosePages({ m, account, frames, zeroPage }: Kernel, { slots, object, pageTable }: Process): Program {
  yield* atomically(() => {
    slots.forEach((slot, page) => {
      const kind = (['zero', 'lazy', 'frame'] as const)[m.choose(3, `page ${page}`, ['zero', 'lazy', 'real'])] ?? 'zero'
      slot.kind = kind
      if (kind === 'lazy') {
        account.commit(1)
        object.unused += 1
      }
      if (kind === 'frame') {
        account.useUncommitted()
        slot.frame = frames.allocate()
      }
      pageTable.set(page, slot.frame ?? zeroPage, slot.frame !== null)
    })
  })
}

/** NO_SET_LEAK: a set has no more units than its members have pages that are still to be copied and still shared. */
function noUnitsLeft({ sets, processes }: Kernel): true | string {
  for (const set of sets.instances) {
    if (!sets.isAllocated(set)) continue
    const members = processes.filter(({ object }) => object.set === set)
    const shared = members.flatMap(({ slots }) =>
      slots.filter(({ cow, frame }) => cow && frame !== null && frame.references > 1),
    ).length
    if (set.count > shared)
      return `${set.name} of ${members.map(({ name }) => name).join(' and ') || 'no process'} has ${set.count} units, and ${shared} pages are still shared`
  }
  return true
}

const EXACT = 'a fork commits for the pages that have a frame'
const SUCCEEDS = 'a fork for which there is memory succeeds'
const RETRY = 'a store takes no more faults than it may'
const FINAL = 'a zero fault leaves its page writable'
const LEAK = 'no unit is left for pages that are not shared'

export default model({
  title: 'SerenityOS: fork, its committed memory, and the end of a child',
  params: {
    workload: choice(
      'fork',
      'store',
      'exit',
      'stores-exit',
      'store-exit',
      'fork-exit',
      'all-exit',
      'fork-fork',
      'grandchild',
      'both-exit',
      'sibling',
      'sibling-fault',
    ),
    pages: choice('real-lazy', 'real-zero', 'lazy', 'zero', 'real', 'real-two', 'real-lazy-zero', 'any'),
    need: choice('real', 'nonzero', 'all'),
    zMark: boolean(false),
    dtor: boolean(true),
    dref: boolean(true),
    uncommitted: int(1, { min: 0, max: 12 }),
    /** Faults that a store may take; 0: any number. */
    retries: int(0, { min: 0, max: 4 }),
    forkExact: boolean(false),
    zeroFinal: boolean(false),
    /** Which lock a fork's remapping takes first: that of the page tables (the kernel), or the object's (proposed). */
    remaps: choice('tables-first', 'object-first'),
  },
  scenarios: {
    'commit-lazy': {
      formerly: 's4',
      about: 'a lazy page is counted, and the fork fails for nothing',
      params: { need: 'nonzero' },
      expect: { verdict: 'assertion', property: SUCCEEDS, states: 5 },
    },
    'commit-all': {
      formerly: 's4-all',
      about: 'every page is counted',
      params: { need: 'all' },
      expect: { verdict: 'assertion', property: SUCCEEDS, states: 5 },
    },
    'commit-real': {
      formerly: 's4-fixed',
      about: 'fixed: pages with a frame are counted',
      expect: { verdict: 'pass', states: 27 },
    },
    'commit-zero-all': {
      formerly: 's4-zero-all',
      about: 'an empty page, every page counted',
      params: { pages: 'real-zero', need: 'all' },
      expect: { verdict: 'assertion', property: SUCCEEDS, states: 5 },
    },
    'commit-zero': {
      formerly: 's4-zero',
      about: 'an empty page is not counted',
      params: { pages: 'real-zero', need: 'nonzero' },
      expect: { verdict: 'pass', states: 27 },
    },
    'commit-zero-real': {
      formerly: 's4-zero-fixed',
      about: 'fixed, with an empty page',
      params: { pages: 'real-zero' },
      expect: { verdict: 'pass', states: 27 },
    },
    'commit-exact-all': {
      formerly: 's4-exact-all',
      about: 'pages of any kind, all counted: more is committed than has a frame',
      params: { pages: 'any', need: 'all', uncommitted: 12, forkExact: true },
      expect: { verdict: 'assertion', property: EXACT, states: 137 },
    },
    'commit-exact-lazy': {
      formerly: 's4-exact-nonzero',
      about: 'pages of any kind, lazy ones counted: more is committed than has a frame',
      params: { pages: 'any', need: 'nonzero', uncommitted: 12, forkExact: true },
      expect: { verdict: 'assertion', property: EXACT, states: 144 },
    },
    'commit-exact-real': {
      formerly: 's4-exact-real',
      about: 'fixed: exactly the pages with a frame',
      params: { pages: 'any', uncommitted: 12, forkExact: true },
      expect: { verdict: 'pass', states: 814 },
    },
    'commit-two-forks': {
      formerly: 's4-large',
      about: 'fixed, pages of any kind, two forks, and stores to all',
      params: { workload: 'fork-fork', pages: 'any', uncommitted: 12, forkExact: true, retries: 1 },
      expect: { verdict: 'pass', states: 3_294 },
      large: true,
    },
    'commit-grandchild': {
      formerly: 's4-large-grandchild',
      about: 'fixed, pages of any kind, a grandchild, and stores to all',
      params: { workload: 'grandchild', pages: 'any', uncommitted: 12, forkExact: true, retries: 1 },
      expect: { verdict: 'pass', states: 2_988 },
      large: true,
    },
    'marked-zero': {
      formerly: 's5',
      about: 'an empty page is marked copy-on-write: its first store faults twice',
      params: { workload: 'store', pages: 'real-zero', uncommitted: 3, zMark: true, retries: 1 },
      expect: { verdict: 'assertion', property: RETRY, states: 51 },
    },
    'marked-zero-fixed': {
      formerly: 's5-fixed',
      about: 'fixed by 8812410617f',
      params: { workload: 'store', pages: 'real-zero', uncommitted: 3, retries: 1 },
      expect: { verdict: 'pass', states: 53 },
    },
    'marked-zero-read-only': {
      formerly: 's5-final',
      about: 'the zero fault leaves the page read-only',
      params: { workload: 'store', pages: 'real-zero', uncommitted: 3, zMark: true, zeroFinal: true },
      expect: { verdict: 'assertion', property: FINAL, states: 51 },
    },
    'marked-zero-read-only-fixed': {
      formerly: 's5-final-fixed',
      about: 'fixed by 8812410617f: the zero fault makes the page writable',
      params: { workload: 'store', pages: 'real-zero', uncommitted: 3, zeroFinal: true },
      expect: { verdict: 'pass', states: 55 },
    },
    'marked-lazy': {
      formerly: 's5-lazy',
      about: 'a lazy page is marked copy-on-write: its first store faults twice',
      params: { workload: 'store', pages: 'real-lazy', uncommitted: 3, zMark: true, retries: 1 },
      expect: { verdict: 'assertion', property: RETRY, states: 53 },
    },
    'marked-lazy-fixed': {
      formerly: 's5-lazy-fixed',
      about: 'fixed by 8812410617f, a lazy page',
      params: { workload: 'store', pages: 'real-lazy', uncommitted: 3, retries: 1 },
      expect: { verdict: 'pass', states: 55 },
    },
    'marked-lazy-read-only': {
      formerly: 's5-lazy-final',
      about: 'the zero fault leaves the lazy page read-only',
      params: { workload: 'store', pages: 'real-lazy', uncommitted: 3, zMark: true, zeroFinal: true },
      expect: { verdict: 'assertion', property: FINAL, states: 53 },
    },
    'marked-lazy-read-only-fixed': {
      formerly: 's5-lazy-final-fixed',
      about: 'fixed by 8812410617f: the zero fault makes the lazy page writable',
      params: { workload: 'store', pages: 'real-lazy', uncommitted: 3, zeroFinal: true },
      expect: { verdict: 'pass', states: 57 },
    },
    'marked-zero-no-reference': {
      formerly: 's5-no-dref',
      about: 'an empty page, without the dispatcher’s reference',
      params: { workload: 'store', pages: 'real-zero', uncommitted: 3, dref: false, zMark: true, retries: 1 },
      expect: { verdict: 'assertion', property: RETRY, states: 51 },
    },
    'marked-zero-no-reference-fixed': {
      formerly: 's5-no-dref-fixed',
      about: 'fixed by 8812410617f, without the dispatcher’s reference',
      params: { workload: 'store', pages: 'real-zero', uncommitted: 3, dref: false, retries: 1 },
      expect: { verdict: 'pass', states: 53 },
    },
    'marked-zero-no-reference-read-only': {
      formerly: 's5-no-dref-final',
      about: 'the zero fault leaves the page read-only, without the dispatcher’s reference',
      params: { workload: 'store', pages: 'real-zero', uncommitted: 3, dref: false, zMark: true, zeroFinal: true },
      expect: { verdict: 'assertion', property: FINAL, states: 51 },
    },
    'marked-zero-no-reference-read-only-fixed': {
      formerly: 's5-no-dref-final-fixed',
      about: 'fixed by 8812410617f, the same',
      params: { workload: 'store', pages: 'real-zero', uncommitted: 3, dref: false, zeroFinal: true },
      expect: { verdict: 'pass', states: 55 },
    },
    'marked-lazy-no-reference': {
      formerly: 's5-lazy-no-dref',
      about: 'a lazy page, without the dispatcher’s reference',
      params: { workload: 'store', pages: 'real-lazy', uncommitted: 3, dref: false, zMark: true, retries: 1 },
      expect: { verdict: 'assertion', property: RETRY, states: 53 },
    },
    'marked-lazy-no-reference-fixed': {
      formerly: 's5-lazy-no-dref-fixed',
      about: 'fixed by 8812410617f, a lazy page, without the dispatcher’s reference',
      params: { workload: 'store', pages: 'real-lazy', uncommitted: 3, dref: false, retries: 1 },
      expect: { verdict: 'pass', states: 55 },
    },
    'marked-lazy-no-reference-read-only': {
      formerly: 's5-lazy-no-dref-final',
      about: 'the zero fault leaves the lazy page read-only, without the dispatcher’s reference',
      params: { workload: 'store', pages: 'real-lazy', uncommitted: 3, dref: false, zMark: true, zeroFinal: true },
      expect: { verdict: 'assertion', property: FINAL, states: 53 },
    },
    'marked-lazy-no-reference-read-only-fixed': {
      formerly: 's5-lazy-no-dref-final-fixed',
      about: 'fixed by 8812410617f, the same',
      params: { workload: 'store', pages: 'real-lazy', uncommitted: 3, dref: false, zeroFinal: true },
      expect: { verdict: 'pass', states: 57 },
    },
    'marked-committed': {
      formerly: 's5-single',
      about: 'one lazy page that a fork committed for',
      params: {
        workload: 'store-exit',
        pages: 'lazy',
        need: 'nonzero',
        zMark: true,
        uncommitted: 3,
        retries: 1,
        dtor: true,
      },
      expect: { verdict: 'assertion', property: RETRY, states: 129 },
    },
    'marked-committed-fixed': {
      formerly: 's5-single-fixed',
      about: 'fixed by 8812410617f, one lazy page',
      params: { workload: 'store-exit', pages: 'lazy', need: 'nonzero', uncommitted: 3, retries: 1 },
      expect: { verdict: 'pass', states: 282 },
    },
    'marked-empty': {
      formerly: 's5-empty',
      about: 'control: an object without any frame',
      params: { workload: 'store', pages: 'zero', zMark: true, uncommitted: 3, retries: 1 },
      expect: { verdict: 'pass', states: 44 },
    },
    'marked-empty-fixed': {
      formerly: 's5-empty-fixed',
      about: 'control: an object without any frame, with 8812410617f',
      params: { workload: 'store', pages: 'zero', uncommitted: 3, retries: 1 },
      expect: { verdict: 'pass', states: 44 },
    },
    'all-pages': {
      formerly: 's5-large',
      about: 'fixed: parent and child store to every page, and the child exits',
      params: { workload: 'all-exit', pages: 'real-lazy-zero', uncommitted: 9, retries: 1 },
      expect: { verdict: 'pass', states: 22_341 },
    },
    'child-exit': {
      formerly: 's6',
      about: 'a child exits that stored nothing, and its parent keeps a unit',
      params: { workload: 'exit', pages: 'real', uncommitted: 3, dtor: false },
      expect: { verdict: 'at-rest', property: LEAK, states: 34 },
    },
    'child-exit-fixed': {
      formerly: 's6-fixed',
      about: 'fixed by 1d96c30488a',
      params: { workload: 'exit', pages: 'real', uncommitted: 3 },
      expect: { verdict: 'pass', states: 41 },
    },
    'child-exit-drained': {
      formerly: 's6-stores',
      about: 'control: the parent’s stores use the set up',
      params: { workload: 'stores-exit', pages: 'real-two', uncommitted: 6, dtor: false },
      expect: { verdict: 'pass', states: 2_685 },
    },
    'child-exit-drained-fixed': {
      formerly: 's6-stores-fixed',
      about: 'control, with 1d96c30488a',
      params: { workload: 'stores-exit', pages: 'real-two', uncommitted: 6 },
      expect: { verdict: 'pass', states: 3_770 },
    },
    'child-exit-one-store': {
      formerly: 's6-store',
      about: 'the parent stores to one of two pages',
      params: { workload: 'store-exit', pages: 'real-two', uncommitted: 6, dtor: false },
      expect: { verdict: 'at-rest', property: LEAK, states: 490 },
    },
    'child-exit-one-store-fixed': {
      formerly: 's6-store-fixed',
      about: 'fixed by 1d96c30488a, the parent stores to one of two pages',
      params: { workload: 'store-exit', pages: 'real-two', uncommitted: 6 },
      expect: { verdict: 'pass', states: 615 },
    },
    'both-exit-fixed': {
      formerly: 's6-both',
      about: 'parent and child exit at once, with 1d96c30488a',
      params: { workload: 'both-exit', pages: 'real-two', uncommitted: 6 },
      expect: { verdict: 'pass', states: 390 },
    },
    'both-exit': {
      formerly: 's6-both-before',
      about: 'parent and child exit at once, before it',
      params: { workload: 'both-exit', pages: 'real-two', uncommitted: 6, dtor: false },
      expect: { verdict: 'pass', states: 303 },
    },
    sibling: {
      about: 'a thread of the parent stores while the parent forks',
      params: { workload: 'sibling', pages: 'real', uncommitted: 4 },
      expect: { verdict: 'pass', states: 546 },
    },
    'sibling-fault': {
      about: 'a fault that is under way and the fork take two locks in opposite orders',
      params: { workload: 'sibling-fault', pages: 'real-zero', uncommitted: 4 },
      expect: { verdict: 'deadlock', states: 95 },
    },
    'sibling-fault-fixed': {
      about: 'fixed: both take the object’s lock first',
      params: { workload: 'sibling-fault', pages: 'real-zero', uncommitted: 4, remaps: 'object-first' },
      expect: { verdict: 'pass', states: 442 },
    },
    'child-exit-second-fork': {
      formerly: 's6-again',
      about: 'fixed: the parent has forked again and keeps its new set',
      params: { workload: 'fork-exit', pages: 'real', uncommitted: 4 },
      expect: { verdict: 'pass', states: 61 },
    },
  },
  machine(m, params) {
    const workload = WORKLOADS[params.workload]
    const slots: readonly Slot['kind'][] = PAGES[params.pages]
    const unborn = slots.map(() => 'zero' as const)
    const switches: Switches = {
      ...FROM_2026,
      need: params.need,
      zMark: params.zMark,
      dtor: params.dtor,
      dref: params.dref,
      noReason: 'tolerate',
      objectFirst: params.remaps === 'object-first',
    }
    const names = workload.again ? ['parent', 'child', 'second child'] : ['parent', 'child']
    const kernel = makeKernel(m, switches, {
      processes: names.map((name, i) => ({ name, set: null, slots: i === 0 ? slots : unborn })),
      sets: [],
      spareSets: workload.again ? 2 : 1,
      uncommitted: params.uncommitted,
      cpus: workload.sibling ? 3 : 2,
      watches: { forkExact: params.forkExact, zeroFinal: params.zeroFinal },
    })
    const [parent, child, second] = kernel.processes as [Process, Process, Process | undefined]
    parent.pageTable.bind(0)
    child.pageTable.bind(1)
    if (workload.sibling) parent.pageTable.bind(2)
    const stage = m.struct(StageStruct, 'stage')
    const storers = [
      { process: parent, cpu: 0, pages: workload.parent },
      { process: child, cpu: 1, pages: workload.child },
      ...(workload.sibling ? [{ process: parent, cpu: 2, pages: workload.sibling }] : []),
    ].map((who, cell): Storer => ({ ...who, cell, retries: params.retries || null }))
    const [parentStores, childStores, siblingStores] = storers.map((who) => storer(kernel, who)) as [
      () => Program,
      () => Program,
      (() => Program) | undefined,
    ]

    m.thread(function* parentThread() {
      if (params.pages === 'any') yield* choosePages(kernel, parent)
      const isForked = yield* fork(kernel, parent, child)
      m.assert(isForked, SUCCEEDS)
      if (workload.again === 'parent' && second) {
        const isForkedAgain = yield* fork(kernel, parent, second)
        m.assert(isForkedAgain, SUCCEEDS)
      }
      yield* atomically(() => {
        stage.forked = true
      })
      yield* parentStores()
      if (workload.parentExits) yield* exit(kernel, parent, null)
    })
    m.thread(function* childThread() {
      yield* when(() => stage.forked)
      if (workload.again === 'child' && second) {
        const isForked = yield* fork(kernel, child, second)
        m.assert(isForked, SUCCEEDS)
      }
      yield* childStores()
      if (workload.childExits) yield* exit(kernel, child, parent)
    })
    if (siblingStores) m.thread(siblingStores)

    properties(m, kernel, workload.childExits ? storers.slice(0, 1) : storers, [
      ...(workload.childExits ? [child] : []),
      ...(workload.parentExits ? [parent] : []),
    ])
    m.atRest(LEAK, () => noUnitsLeft(kernel))
    m.atRest('every lazy page has a unit', () => lazyPagesAreBacked(kernel.processes))
    if (workload.again === 'parent' && workload.parent.length === 0)
      m.atRest(
        'the parent keeps the set of its last fork',
        () => parent.object.set !== null || parent.slots.every(({ kind }) => kind !== 'frame'),
      )
    m.sometimes('the child runs', () => stage.forked)
    if (workload.parent.length > 0) m.sometimes('a store faults', () => kernel.faulting.some(({ inside }) => inside))
  },
})
