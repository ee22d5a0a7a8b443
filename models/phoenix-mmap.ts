// Phoenix-RTOS: vm_mmap runs out of memory after its mapping was merged with a neighbour.
//
// Claim 1 (merged-*): the rollback removes "the entry", which by then covers the neighbour's pages too: they are freed
//   while the page tables still map them. 401a5d95 unmaps the new range instead.
// Claim 2 (put-twice-*): a page that cannot be entered into the page table is put although its slot keeps it, and put
//   again by the caller that cleans up. bd1bdaca leaves it to the caller.
// Claim 3 (uncleared-*, still there): a fresh page is lost when it cannot be mapped into the kernel to be cleared.
// Claim 4 (no-entry-*, still there): the rollback of a mapping that joined both its neighbours has to cut an entry in
//   two, and there may be no entry left for that. Reserving one beforehand prevents it.
//
// Source: phoenix-rtos-kernel 11a35ff3 and pull request 749 of May 2026; claims 3 and 4 found by reading.
import { type Instance, type Machine, type Program, boolean, choice, int, model } from 'vmcheck'
import { FailureBudget } from 'vmcheck/vm'
import {
  AFTER,
  type Amap,
  BEFORE,
  FIXES,
  type Entry,
  type Fixes,
  type Kernel,
  type VmMap,
  makeKernel,
  slotOf,
  without,
} from './phoenix/kernel.ts'
import { insertEntry, mapAlloc, vmMmap, vmMunmap } from './phoenix/map.ts'
import { ResultStruct, properties, unchangedOnFailure } from './phoenix/properties.ts'

/** Entries before anything runs: their pages are resident. */
const LAYOUTS: Readonly<Record<'left' | 'right' | 'both' | 'near' | 'near-next' | 'between' | 'three', Layout>> = {
  /** The new mapping [3,5) joins [1,3) on its left. */
  left: { first: 1, entries: [[1, 3]], hint: 3 },
  /** [2,4) joins [4,6) on its right: the rest of [2,6). */
  right: { first: 2, entries: [[4, 6]], hint: 2 },
  /** [2,4) joins [1,2) and [4,5): the rest of [1,5). */
  both: {
    first: 1,
    entries: [
      [1, 2],
      [4, 5],
    ],
    hint: 2,
  },
  /** [3,5) gets an entry of its own, with the amap of [1,2). */
  near: { first: 1, entries: [[1, 2]], hint: 3 },
  /** [2,4) gets an entry of its own, with the amap of [5,6). */
  'near-next': { first: 2, entries: [[5, 6]], hint: 2 },
  /** [3,5) gets an entry of its own between [1,2) and [6,7), with the amap of the latter. */
  between: {
    first: 1,
    entries: [
      [1, 2],
      [6, 7],
    ],
    hint: 3,
  },
  /** [2,4) joins [1,2); two more entries are behind it. */
  three: {
    first: 1,
    entries: [
      [1, 2],
      [5, 6],
      [7, 8],
    ],
    hint: 2,
  },
}

interface Layout {
  /** The page of the amap's first slot. */
  readonly first: number
  readonly entries: readonly (readonly [start: number, end: number])[]
  readonly hint: number
}

const KERNELS: Readonly<Record<'before' | 'mmap-fix' | 'after' | 'leak-fix' | 'all-fixes', Fixes>> = {
  before: BEFORE,
  'mmap-fix': { ...BEFORE, mmapFix: true },
  after: AFTER,
  'leak-fix': { ...AFTER, leakFix: true },
  'all-fixes': { ...AFTER, leakFix: true, reserveFix: true },
}

/** The entries of a process: one mapping, of which a part may be gone, with its pages in the slots of one amap. */
function setUp(kernel: Kernel, map: VmMap, { first, entries }: Layout): void {
  const amap = kernel.amaps.allocate({ refs: entries.length })
  if (!amap) return
  for (const [from, to] of entries) {
    const entry = kernel.entries.allocate({
      vaddr: from,
      size: to - from,
      prot: 'rw',
      protOrig: 'rw',
      object: 'anonymous',
      amap,
      aoffs: from - first,
    })
    if (!entry) return
    insertEntry(map, entry)
    for (let page = from; page < to; page++) {
      const frame = kernel.frames.allocate(page)
      slotOf(kernel, amap, page - first).anon = kernel.anons.allocate({ refs: 1, page: frame })
      map.pmap.set(page, frame, true)
    }
  }
  leaveStalePointers(kernel, amap, first, entries)
}

/** What was unmapped before has left its pointers in the slots between the entries: to an anon that is free. */
function leaveStalePointers(kernel: Kernel, amap: Instance<Amap>, first: number, entries: Layout['entries']): void {
  const last = entries.at(-1)?.[1] ?? first
  const gone = Array.from({ length: last - first }, (_, i) => first + i).filter(
    (page) => !entries.some(([from, to]) => from <= page && page < to),
  )
  const anon = gone.length > 0 ? kernel.anons.allocate({ refs: 1 }) : null
  if (!anon) return
  for (const page of gone) slotOf(kernel, amap, page - first).anon = anon
  kernel.anons.free(anon)
}

/** A process that maps two pages, `rounds` times, and unmaps them in between. */
function mapper(m: Machine, kernel: Kernel, map: VmMap, hint: number, rounds: number, property: string): void {
  const result = m.struct(ResultStruct, `result of ${map.name}`)
  m.thread(function* mmap(): Program {
    for (let round = 0; round < rounds; round++) {
      const vaddr = yield* vmMmap(kernel, map, hint, 2)
      result.code = vaddr === null ? 'ENOMEM' : 'ok'
      if (vaddr === null || round + 1 === rounds) return
      yield* map.lock.acquire()
      yield* vmMunmap(kernel, map, vaddr, 2)
      yield* map.lock.release()
    }
  })
  unchangedOnFailure(m, kernel, map, result, property)
}

/** A process that takes an entry out of the pool that all maps share. */
function taker(m: Machine, kernel: Kernel, map: VmMap): void {
  m.thread(function* otherMmap() {
    yield* map.lock.acquire()
    const entry: Instance<Entry> | null = yield* mapAlloc(kernel)
    if (entry) {
      Object.assign(entry, { vaddr: 1, size: 1, prot: 'rw', protOrig: 'rw' } satisfies Partial<Entry>)
      insertEntry(map, entry)
    }
    yield* map.lock.release()
  })
}

const ATOM = 'a failing mmap changes nothing'

export default model({
  title: 'Phoenix-RTOS: mmap runs out of memory after it was merged with a neighbour',
  params: {
    kernel: choice('before', 'mmap-fix', 'after', 'leak-fix', 'all-fixes'),
    /** One fix fewer. */
    without: choice('nothing', ...FIXES),
    merge: choice('left', 'right', 'both', 'near', 'near-next', 'between', 'three'),
    failures: int(1, { min: 0, max: 3 }),
    /** Only this allocation fails, counted from 1; 0: any. */
    failing: int(0, { min: 0, max: 20 }),
    /** Whether a kmap window needs a map entry of its own. */
    windows: choice('allocate', 'merge'),
    /** Processes beside: one that takes entries from the pool, one that maps like the first, or both. */
    beside: choice('none', 'taker', 'mapper', 'both').formerly({ nobody: 'none' }),
    /** Entries that are free at first. */
    spare: int(1, { min: 0, max: 2 }),
    /** Whether a rollback that allocates is a violation of its own. */
    guardsRollback: boolean(false),
    /** How often the memory is mapped, being unmapped in between. */
    rounds: int(1, { min: 1, max: 3 }),
  },
  scenarios: {
    merged: {
      formerly: 's1-before',
      about: 'no page can be allocated: the neighbour goes with the new pages',
      checks: ['at-rest'],
      expect: { verdict: 'at-rest', property: ATOM, states: 89 },
    },
    'merged-freed': {
      formerly: 's1-before-freed',
      about: 'the second page cannot be allocated: the neighbour’s first page is freed but still mapped',
      params: { failing: 5 },
      checks: ['at-rest'],
      expect: { verdict: 'at-rest', property: ATOM, states: 45 },
    },
    'merged-right': {
      formerly: 's1-right',
      about: 'merged with the right neighbour',
      params: { merge: 'right' },
      checks: ['at-rest'],
      expect: { verdict: 'at-rest', property: ATOM, states: 89 },
    },
    'merged-both': {
      formerly: 's1-both',
      about: 'merged with both neighbours',
      params: { merge: 'both' },
      checks: ['at-rest'],
      expect: { verdict: 'at-rest', property: ATOM, states: 95 },
    },
    'merged-fixed': {
      formerly: 's1-fixed',
      about: 'all fixes',
      params: { kernel: 'all-fixes' },
      expect: { verdict: 'pass', states: 108 },
    },
    'merged-right-fixed': {
      formerly: 's1-right-fixed',
      about: 'all fixes, merged with the right neighbour',
      params: { kernel: 'all-fixes', merge: 'right' },
      expect: { verdict: 'pass', states: 110 },
    },
    'merged-both-fixed': {
      formerly: 's1-both-fixed',
      about: 'all fixes, merged with both neighbours',
      params: { kernel: 'all-fixes', merge: 'both' },
      expect: { verdict: 'pass', states: 129 },
    },
    'own-entry-fixed': {
      formerly: 's1-near-fixed',
      about: 'control: an entry of its own, all fixes',
      params: { kernel: 'all-fixes', merge: 'near', spare: 2 },
      expect: { verdict: 'pass', states: 133 },
    },
    'own-entry-amap-fixed': {
      formerly: 's1-near-next-fixed',
      about: 'control: an entry of its own that shares the next one’s amap, all fixes',
      params: { kernel: 'all-fixes', merge: 'near-next', spare: 2 },
      expect: { verdict: 'pass', states: 135 },
    },
    'own-entry-between-fixed': {
      formerly: 's1-between-fixed',
      about: 'control: an entry of its own between two others, all fixes',
      params: { kernel: 'all-fixes', merge: 'between', spare: 2 },
      expect: { verdict: 'pass', states: 135 },
    },
    'merged-three': {
      formerly: 's1-large',
      about: 'two processes with three entries each, two failures',
      params: { merge: 'three', beside: 'mapper', failures: 2 },
      checks: ['at-rest'],
      expect: { verdict: 'at-rest', property: ATOM, states: 35_210 },
      large: true,
    },
    'merged-three-fixed': {
      formerly: 's1-large-fixed',
      about: 'all fixes: two processes with three entries each, two failures',
      params: { kernel: 'all-fixes', merge: 'three', beside: 'mapper', failures: 2, spare: 2 },
      expect: { verdict: 'pass', states: 234_843 },
      large: true,
    },
    'put-twice': {
      formerly: 's6',
      about: '401a5d95 alone: a page that cannot be mapped is put twice',
      params: { kernel: 'mmap-fix', failing: 4 },
      expect: { verdict: 'assertion', property: 'no page is put twice', states: 29 },
    },
    'put-twice-fixed': {
      formerly: 's6-fixed',
      about: 'fixed by bd1bdaca',
      params: { kernel: 'after', failing: 4 },
      expect: { verdict: 'pass', states: 33 },
    },
    uncleared: {
      formerly: 's7',
      about: 'a page that cannot be cleared is lost',
      params: { kernel: 'after' },
      expect: { verdict: 'at-rest', property: 'nothing is leaked', states: 56 },
    },
    'uncleared-fixed': {
      formerly: 's7-fixed',
      about: 'fixed: the page is freed',
      params: { kernel: 'leak-fix' },
      expect: { verdict: 'pass', states: 100 },
    },
    'uncleared-again': {
      formerly: 's7-large',
      about: 'again and again',
      params: { kernel: 'after', rounds: 3, failures: 3 },
      expect: { verdict: 'at-rest', property: 'nothing is leaked', states: 56 },
    },
    'uncleared-again-fixed': {
      formerly: 's7-large-fixed',
      about: 'fixed, again and again',
      params: { kernel: 'leak-fix', rounds: 3, failures: 3 },
      expect: { verdict: 'pass', states: 326 },
    },
    'no-entry': {
      formerly: 's9',
      about: 'another process takes the entry that the rollback needs',
      params: { kernel: 'leak-fix', merge: 'both', windows: 'merge', beside: 'taker', spare: 0 },
      expect: { verdict: 'at-rest', property: ATOM, states: 352 },
    },
    'no-entry-allocates': {
      formerly: 's9-rollback',
      about: 'the cause: the rollback allocates',
      params: { kernel: 'leak-fix', merge: 'both', windows: 'merge', beside: 'taker', spare: 0, guardsRollback: true },
      expect: { verdict: 'assertion', property: 'rollback never allocates', states: 172 },
    },
    'no-entry-alone': {
      formerly: 's9-alone',
      about: 'control: no other process',
      params: { kernel: 'leak-fix', merge: 'both', windows: 'merge', spare: 0 },
      expect: { verdict: 'pass', states: 126 },
    },
    'no-entry-alone-two': {
      formerly: 's9-alone-two',
      about: 'no other process: the allocation of the entry fails as well',
      params: { kernel: 'leak-fix', merge: 'both', windows: 'merge', spare: 0, failures: 2 },
      expect: { verdict: 'at-rest', property: ATOM, states: 38 },
    },
    'no-entry-reserved': {
      formerly: 's9-fixed',
      about: 'fixed: the entry is reserved',
      params: { kernel: 'all-fixes', merge: 'both', windows: 'merge', beside: 'taker', guardsRollback: true },
      expect: { verdict: 'pass', states: 1_072 },
    },
    'no-entry-three': {
      formerly: 's9-large',
      about: 'three processes, two of which merge',
      params: { kernel: 'leak-fix', merge: 'both', windows: 'merge', beside: 'both', spare: 0 },
      expect: { verdict: 'at-rest', property: ATOM, states: 250_893 },
      large: true,
    },
    'no-entry-three-reserved': {
      formerly: 's9-large-fixed',
      about: 'fixed, three processes',
      params: { kernel: 'all-fixes', merge: 'both', windows: 'merge', beside: 'both', spare: 2, guardsRollback: true },
      expect: { verdict: 'pass', states: 3_660_570 },
      large: true,
    },
  },
  machine(m, params) {
    const budget = new FailureBudget(m, {
      failures: params.failures,
      only: params.failing || null,
      guardsRollback: params.guardsRollback,
    })
    const layout = LAYOUTS[params.merge]
    const mappers = params.beside === 'mapper' || params.beside === 'both' ? 2 : 1
    const takers = params.beside === 'taker' || params.beside === 'both' ? 1 : 0
    const names = ['A', 'B', 'C'].slice(0, mappers + takers)
    const sizes = {
      threads: names.length,
      frames: 5 * mappers,
      anons: 5 * mappers,
      amaps: mappers,
      entries: layout.entries.length * mappers + params.spare,
      maps: names,
      stop: 9,
    }
    const kernel = makeKernel(m, sizes, without(KERNELS[params.kernel], params.without), budget, {
      windowsAllocate: params.windows === 'allocate',
    })
    for (const map of kernel.maps.slice(0, mappers)) {
      setUp(kernel, map, layout)
      mapper(m, kernel, map, layout.hint, params.rounds, map.name === 'A' ? ATOM : `${ATOM} (${map.name})`)
    }
    for (const map of kernel.maps.slice(mappers)) taker(m, kernel, map)
    properties(m, kernel)
    m.sometimes('an allocation fails', () => budget.hasStruck)
    if (params.failing === 0)
      m.sometimes(
        'two pages are mapped',
        () => (kernel.maps[0] as VmMap).pmap.entries.filter(({ frame }) => frame !== null).length > 2,
      )
  },
})
