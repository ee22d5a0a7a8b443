// Maestro: a call changes an address space as a whole or not at all, also when memory runs out half way.
//
// Claim 1 (complement-*): when a transaction changes a key twice, its complement must keep the first old value. Keeping
//   the last one leaves a gap behind in an address space that was rolled back. Fixed by 6a914226.
// Claim 2 (gap-*, still there): what a transaction has discarded stays in the tree until commit, and look-ups find it.
//   Joining gaps then takes an old gap for a new one, and two gaps overlap.
// Claim 3 (map-fixed-*, still there): MAP_FIXED computes wrongly what is left of a gap: until 96170d08 it took nothing
//   away, since then too much.
// Claim 4 (protect-*, still there): mprotect changes a mapping that lies within its range at once, outside the
//   transaction. When a later mapping cannot be cut for lack of memory, it returns an error and the first one stays
//   changed.
//
// Source: Maestro 3569e232 and history, and the blog post on its transactions, whose example (unmapping 0x150000 to
// 0x2a0000 from two mappings) is here in units of 0x10000 bytes. Claims 2 to 4 found by reading.
import { type Program, boolean, choice, int, model, oneOf, struct, u2 } from 'vmcheck'
import { type Extent, FailureBudget, Mutex, agreesWithReference, sameAs, tiles } from 'vmcheck/vm'
import { map, mapFixed, setProt, unmap } from './maestro/mem-space.ts'
import type { Fixes, MemSpace, Outcome } from './maestro/transaction.ts'
import { Tree } from './maestro/tree.ts'

const KERNELS: Readonly<Record<'blog' | 'fixed-complement' | 'master' | 'all-fixes', Omit<Fixes, 'deletesEagerly'>>> = {
  blog: { savesOnce: false, skipDiscarded: false, remainder: 'bytes', protectsInPlace: true },
  'fixed-complement': { savesOnce: true, skipDiscarded: false, remainder: 'bytes', protectsInPlace: true },
  master: { savesOnce: true, skipDiscarded: false, remainder: 'absolute-end', protectsInPlace: true },
  'all-fixes': { savesOnce: true, skipDiscarded: true, remainder: 'relative', protectsInPlace: false },
}

/** A kernel without one of its fixes. */
const LEFT_OUT: Readonly<Record<'nothing' | 'savesOnce' | 'skipDiscarded' | 'remainder', Partial<Fixes>>> = {
  nothing: {},
  savesOnce: { savesOnce: false },
  skipDiscarded: { skipDiscarded: false },
  remainder: { remainder: 'absolute-end' },
}

/** What the program calls: the range is in pages. */
type Call = readonly [call: 'unmap' | 'map' | 'mapFixed' | 'protect', begin: number, end: number]

interface Workload {
  readonly space: readonly [begin: number, end: number]
  readonly mappings: readonly (readonly [begin: number, end: number])[]
  readonly calls: readonly Call[]
}

const WORKLOADS = {
  three: {
    space: [0, 8],
    mappings: [
      [1, 3],
      [3, 5],
      [5, 7],
    ],
    calls: [['unmap', 2, 6]],
  },
  five: {
    space: [0, 12],
    mappings: [
      [1, 3],
      [3, 5],
      [5, 7],
      [7, 9],
      [9, 11],
    ],
    calls: [
      ['unmap', 2, 10],
      ['map', 2, 3],
    ],
  },
  gap: {
    space: [0, 7],
    mappings: [
      [1, 3],
      [4, 6],
    ],
    calls: [['unmap', 2, 5]],
  },
  'gap-map': {
    space: [0, 7],
    mappings: [
      [1, 3],
      [4, 6],
    ],
    calls: [
      ['unmap', 2, 5],
      ['map', 3, 4],
      ['map', 3, 4],
    ],
  },
  blog: {
    space: [0x00, 0x3f],
    mappings: [
      [0x10, 0x20],
      [0x25, 0x30],
    ],
    calls: [['unmap', 0x15, 0x2a]],
  },
  'blog-fixed': {
    space: [0x00, 0x3f],
    mappings: [
      [0x10, 0x20],
      [0x25, 0x30],
    ],
    calls: [['mapFixed', 0x15, 0x2a]],
  },
  fixed: { space: [1, 9], mappings: [], calls: [['mapFixed', 3, 4]] },
  'fixed-tail': { space: [1, 40], mappings: [[18, 20]], calls: [['mapFixed', 19, 21]] },
  protect: {
    space: [0, 6],
    mappings: [
      [1, 3],
      [3, 5],
    ],
    calls: [['protect', 1, 4]],
  },
} as const satisfies Record<string, Workload>

/** The gaps between mappings. */
function gapsOf({ space: [begin, end], mappings }: Workload): [number, number][] {
  const bounds = [begin, ...mappings.flat(), end]
  return Array.from(
    { length: bounds.length / 2 },
    (_, i) => [bounds[2 * i] as number, bounds[2 * i + 1] as number] as [number, number],
  ).filter(([from, to]) => from < to)
}

/** The reference: what each page is used for, as the calls that succeeded say. */
const PageStruct = struct<{ use: 'outside' | 'gap' | 'mapping' }>('page', { use: oneOf('outside', 'gap', 'mapping') })
const CallsStruct = struct<{ failed: number; succeeded: number }>('calls', { failed: u2, succeeded: u2 })

const ATOM = 'a call that fails changes nothing'
const DISJOINT = 'a new mapping does not overlap another'
const PART = 'gaps and mappings tile the address space'

function show({ gaps, mappings }: MemSpace): string {
  return [gaps, mappings]
    .map(
      (tree) =>
        `${tree.name}s ${tree
          .ranges()
          .map(({ begin, size, prot }) => `[${begin},${begin + size}) ${prot}`)
          .join(' ')}`,
    )
    .join(', ')
}

function extents(tree: Tree): Extent[] {
  return tree.ranges().map(({ begin, size }) => [begin, begin + size, tree.name] as const)
}

/** One call: the first page of a new mapping, or how it went. */
function* perform(space: MemSpace, call: Call[0], from: number, size: number): Program<number | null | Outcome> {
  if (call === 'map') return yield* map(space, from, size)
  if (call === 'unmap') return yield* unmap(space, from, size)
  if (call === 'protect') return yield* setProt(space, from, size, 'r')
  return yield* mapFixed(space, from, size)
}

export default model({
  title: 'Maestro: transactions on an address space',
  params: {
    workload: choice('three', 'five', 'gap', 'gap-map', 'blog', 'blog-fixed', 'fixed', 'fixed-tail', 'protect'),
    kernel: choice('blog', 'fixed-complement', 'master', 'all-fixes'),
    /** One fix fewer. */
    without: choice('nothing', 'savesOnce', 'skipDiscarded', 'remainder'),
    failures: int(1, { min: 0, max: 3 }),
    /** Only this allocation fails, counted from 1; 0: any. */
    failing: int(0, { min: 0, max: 40 }),
    /** Mutant: what is removed goes at once, and a rollback has to insert it again. */
    deletesEagerly: boolean(false),
  },
  scenarios: {
    complement: {
      formerly: 's1',
      about: 'a rollback leaves a gap over a mapping',
      expect: { verdict: 'at-rest', property: ATOM, states: 44 },
    },
    'complement-early': {
      formerly: 's1-early',
      about: 'a failure before the third mapping is undone',
      params: { failing: 8 },
      expect: { verdict: 'pass', states: 21 },
    },
    'complement-late': {
      formerly: 's1-late',
      about: 'a failure in the third mapping is not',
      params: { failing: 9 },
      expect: { verdict: 'at-rest', property: ATOM, states: 23 },
    },
    'complement-all-fixes': {
      formerly: 's1-all-fixes',
      about: 'all fixes',
      params: { kernel: 'all-fixes' },
      expect: { verdict: 'pass', states: 50 },
    },
    'complement-fixed': {
      formerly: 's1-fixed',
      about: 'fixed by 6a914226',
      params: { kernel: 'fixed-complement' },
      expect: { verdict: 'pass', states: 50 },
    },
    'rollback-allocates': {
      formerly: 's1-rollback',
      about: 'all fixes, but the rollback allocates',
      params: { kernel: 'all-fixes', deletesEagerly: true },
      expect: { verdict: 'assertion', property: 'rollback never allocates', states: 20 },
    },
    'complement-five': {
      formerly: 's1-large',
      about: 'five mappings, two failures, and a mapping afterwards',
      params: { workload: 'five', failures: 2 },
      expect: { verdict: 'at-rest', property: ATOM, states: 87 },
      large: true,
    },
    'complement-five-fixed': {
      formerly: 's1-large-fixed',
      about: 'all fixes: five mappings, two failures, and a mapping afterwards',
      params: { workload: 'five', failures: 2, kernel: 'all-fixes' },
      expect: { verdict: 'pass', states: 111 },
      large: true,
    },
    gap: {
      formerly: 's2',
      about: 'two gaps overlap, without any failure',
      params: { workload: 'gap', kernel: 'master', failures: 0 },
      expect: { verdict: 'at-rest', property: PART, states: 27 },
    },
    'gap-fixed': {
      formerly: 's2-fixed',
      about: 'fixed: look-ups skip what the transaction has discarded',
      params: { workload: 'gap', kernel: 'all-fixes' },
      expect: { verdict: 'pass', states: 44 },
    },
    'gap-map': {
      formerly: 's2-large',
      about: 'of two mappings made afterwards, the second gets a page of the first',
      params: { workload: 'gap-map', kernel: 'master', failures: 0 },
      expect: { verdict: 'assertion', property: DISJOINT, states: 91 },
    },
    'gap-map-fixed': {
      formerly: 's2-large-fixed',
      about: 'fixed, with two mappings afterwards',
      params: { workload: 'gap-map', kernel: 'all-fixes' },
      expect: { verdict: 'pass', states: 122 },
    },
    'gap-blog': {
      formerly: 's2-blog',
      about: 'the blog’s example: unmapping 0x150000 to 0x2a0000',
      params: { workload: 'blog', kernel: 'master', failures: 0 },
      expect: { verdict: 'at-rest', property: PART, states: 27 },
    },
    'gap-blog-fixed': {
      formerly: 's2-blog-fixed',
      about: 'the blog’s example, fixed: one gap is left',
      params: { workload: 'blog', kernel: 'all-fixes' },
      expect: { verdict: 'pass', states: 44 },
    },
    'map-fixed-keeps-gap': {
      formerly: 's3-bytes',
      about: 'MAP_FIXED takes nothing away from the gap under its mapping',
      params: { workload: 'fixed', kernel: 'blog', failures: 0 },
      expect: { verdict: 'at-rest', property: PART, states: 14 },
    },
    'map-fixed-loses-page': {
      formerly: 's3-absolute',
      about: 'since 96170d08 MAP_FIXED takes a page too much',
      params: { workload: 'fixed', kernel: 'master', failures: 0 },
      expect: { verdict: 'at-rest', property: PART, states: 18 },
    },
    'map-fixed-fixed': {
      formerly: 's3-fixed',
      about: 'fixed: exactly the mapping’s pages',
      params: { workload: 'fixed', kernel: 'all-fixes' },
      expect: { verdict: 'pass', states: 32 },
    },
    'map-fixed-end': {
      formerly: 's3-large',
      about: 'at the end of a mapping: everything behind it is lost',
      params: { workload: 'fixed-tail', kernel: 'master', failures: 0 },
      expect: { verdict: 'at-rest', property: PART, states: 18 },
    },
    'map-fixed-end-fixed': {
      formerly: 's3-large-fixed',
      about: 'fixed, at the end of a mapping',
      params: { workload: 'fixed-tail', kernel: 'all-fixes' },
      expect: { verdict: 'pass', states: 38 },
    },
    'map-fixed-blog': {
      formerly: 's3-blog',
      about: 'the blog’s example with MAP_FIXED keeps a gap under the mapping',
      params: { workload: 'blog-fixed', kernel: 'blog', failures: 0 },
      expect: { verdict: 'at-rest', property: PART, states: 28 },
    },
    'map-fixed-blog-fixed': {
      formerly: 's3-blog-fixed',
      about: 'the blog’s example with MAP_FIXED, fixed: three mappings and no gap between',
      params: { workload: 'blog-fixed', kernel: 'all-fixes' },
      expect: { verdict: 'pass', states: 44 },
    },
    protect: {
      about: 'mprotect fails at its second mapping, and the first one is changed',
      params: { workload: 'protect', kernel: 'master' },
      expect: { verdict: 'at-rest', property: ATOM, states: 13 },
    },
    'protect-fixed': {
      about: 'fixed: both are as before',
      params: { workload: 'protect', kernel: 'all-fixes' },
      expect: { verdict: 'pass', states: 28 },
    },
  },
  machine(m, params) {
    const workload: Workload = WORKLOADS[params.workload]
    const [begin, end] = workload.space
    const space: MemSpace = {
      m,
      ...KERNELS[params.kernel],
      ...LEFT_OUT[params.without],
      deletesEagerly: params.deletesEagerly,
      budget: new FailureBudget(m, { failures: params.failures, only: params.failing || null }),
      gaps: new Tree(m, 'gap', end, gapsOf(workload)),
      mappings: new Tree(m, 'mapping', end, workload.mappings),
    }
    const { gaps, mappings, budget } = space
    const lock = new Mutex(m, 'state')
    const calls = m.struct(CallsStruct, 'calls')
    const reference = m.array(PageStruct, end, 'page', (page): { use: 'outside' | 'gap' | 'mapping' } => ({
      use:
        page < begin
          ? 'outside'
          : workload.mappings.some(([from, to]) => from <= page && page < to)
            ? 'mapping'
            : 'gap',
    }))

    m.thread(function* process(): Program {
      for (const [call, from, to] of workload.calls) {
        yield* lock.acquire()
        const size = to - from
        const outcome = yield* perform(space, call, from, size)
        if (outcome === null || outcome === 'ENOMEM') calls.failed += 1
        else {
          calls.succeeded += 1
          const first = typeof outcome === 'number' ? outcome : from
          const pages = reference.slice(first, first + size)
          if (call === 'map')
            m.assert(
              () =>
                pages.every(({ use }) => use === 'gap') ||
                `it is [${first},${first + size}), and not all of that was free`,
              DISJOINT,
            )
          if (call !== 'protect') for (const page of pages) page.use = call === 'unmap' ? 'gap' : 'mapping'
        }
        yield* lock.release()
      }
    })

    const before = show(space)
    m.atRest(ATOM, () => calls.succeeded > 0 || calls.failed === 0 || sameAs(before, show(space)))
    m.atRest(PART, () => tiles([...extents(gaps), ...extents(mappings)], begin, end))
    m.atRest('pages are used as the calls say', () => {
      const observed = reference.map((_, page) =>
        page < begin
          ? 'outside'
          : mappings.ranges().some((range) => range.begin <= page && page < range.begin + range.size)
            ? 'mapping'
            : 'gap',
      )
      return agreesWithReference(
        observed,
        reference.map(({ use }) => use),
      )
    })
    m.sometimes('a call succeeds', () => calls.succeeded > 0 || params.failing > 0)
    if (params.failures > 0) m.sometimes('an allocation fails', () => budget.hasStruck)
  },
})
