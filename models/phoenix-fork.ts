// Phoenix-RTOS: fork, and the copies that it promises, run out of memory.
//
// Claim 1 (half-fork-*): a fork that fails half way leaves the child's map behind and the parent's pages read-only.
//   4c1f9184 destroys the map, which is safe only with the next two repairs.
// Claim 2 (amap-create-*): amap_create drops its reference before it has the copy: the caller that cleans up has no
//   amap to put.
// Claim 3 (anon-copy-*): amap_page does so with the anon: the last user frees a page that another process still maps.
//   7c60f695 mends both.
// Claim 4 (physmem-*): where the kernel does not manage the physical memory, "no page" is success, and a failure looks
//   the same: the child gets the parent's page to write. fe19ab6e tells them apart.
// Claim 5 (put-twice-*): a page that cannot be mapped is put twice, which frees one that another process maps.
// Claim 6 (lost-page-*, still there): a living process loses a page when the anon for its copy cannot be allocated.
//
// Source: phoenix-rtos-kernel 11a35ff3 and pull request 749 of May 2026; claim 6 found by reading.
import { type Instance, type Program, boolean, choice, int, model } from 'vmcheck'
import { FailureBudget } from 'vmcheck/vm'
import {
  AFTER,
  BEFORE,
  FIXES,
  type Amap,
  type Entry,
  type Fixes,
  type Kernel,
  type VmMap,
  entriesOf,
  makeKernel,
  slotOf,
  without,
} from './phoenix/kernel.ts'
import { vmMapCopy, vmMapDestroy, vmMapFault, vmMprotect } from './phoenix/map-copy.ts'
import { type Code, insertEntry } from './phoenix/map.ts'
import {
  ResultStruct,
  childHasTheData,
  copiesArePrivate,
  dataIsKept,
  failuresAreReported,
  properties,
  unchangedOnFailure,
} from './phoenix/properties.ts'

/** A column of the tables: which repairs the kernel has. */
const KERNELS: Readonly<
  Record<'before' | 'copy-fix' | 'copy-refs-fix' | 'after' | 'without-err-fix' | 'anon-fix' | 'all-fixes', Fixes>
> = {
  before: BEFORE,
  'copy-fix': { ...BEFORE, mmapFix: true, copyFix: true, errFix: true },
  'copy-refs-fix': { ...AFTER, putFix: false },
  after: AFTER,
  'without-err-fix': { ...AFTER, errFix: false },
  'anon-fix': { ...AFTER, anonFix: true },
  'all-fixes': { ...AFTER, anonFix: true, protectFix: true },
}

/** An entry before anything runs. */
interface InitialEntry {
  readonly pages: readonly [start: number, end: number]
  readonly prot: 'r' | 'rw'
  readonly object?: 'anonymous' | 'physmem' | 'device memory'
}

const LAYOUTS: Readonly<
  Record<'one-page' | 'two-pages' | 'physmem' | 'device' | 'mixed' | 'three-entries', readonly InitialEntry[]>
> = {
  'one-page': [{ pages: [1, 2], prot: 'rw' }],
  'two-pages': [{ pages: [1, 3], prot: 'rw' }],
  physmem: [{ pages: [1, 2], prot: 'rw', object: 'physmem' }],
  device: [{ pages: [1, 2], prot: 'rw', object: 'device memory' }],
  mixed: [
    { pages: [1, 2], prot: 'rw' },
    { pages: [3, 4], prot: 'rw', object: 'physmem' },
  ],
  'three-entries': [
    { pages: [1, 3], prot: 'rw' },
    { pages: [3, 4], prot: 'r' },
    { pages: [5, 6], prot: 'r', object: 'physmem' },
  ],
}

/** The pages of one entry of the parent, and of its children as they share them. */
function setUpEntry(
  kernel: Kernel,
  sharers: readonly VmMap[],
  { pages: [from, to], prot, object = 'anonymous' }: InitialEntry,
): void {
  const amap: Instance<Amap> | null = object === 'anonymous' ? kernel.amaps.allocate({ refs: sharers.length }) : null
  const isShared = sharers.length > 1
  const physical = object === 'anonymous' ? null : kernel.frames.allocate(from)
  const frames = Array.from({ length: to - from }, (_, i) => physical ?? kernel.frames.allocate(from + i))
  if (amap)
    frames.forEach((page, i) => (slotOf(kernel, amap, i).anon = kernel.anons.allocate({ refs: sharers.length, page })))
  for (const map of sharers) {
    const values: Partial<Entry> = {
      vaddr: from,
      size: to - from,
      prot: isShared ? 'r' : prot,
      protOrig: 'rw',
      needsCopy: isShared,
      object,
      amap,
      physical,
    }
    const entry = kernel.entries.allocate(values)
    if (entry) insertEntry(map, entry)
    frames.forEach((frame, i) => map.pmap.set(from + i, frame, !isShared && prot === 'rw'))
  }
}

/** fork, as the child's thread does it; and, with more maps, the fork of the child. */
function* fork(kernel: Kernel, maps: readonly VmMap[]): Program<Code> {
  for (let i = 0; i + 1 < maps.length; i++) {
    const code = yield* vmMapCopy(kernel, maps[i + 1] as VmMap, maps[i] as VmMap)
    if (code !== 'ok') return code
  }
  return 'ok'
}

const SOURCE = 'a failed fork leaves the parent as it was'

export default model({
  title: 'Phoenix-RTOS: fork and its copies run out of memory',
  params: {
    kernel: choice('before', 'copy-fix', 'copy-refs-fix', 'after', 'without-err-fix', 'anon-fix', 'all-fixes'),
    /** One fix fewer. */
    without: choice('nothing', ...FIXES),
    layout: choice('two-pages', 'one-page', 'physmem', 'device', 'mixed', 'three-entries'),
    history: choice('fresh', 'forked', 'forked-twice'),
    /** A fork, a fork of that fork, a fork after which the parent writes; or an mprotect that makes shared memory writable. */
    call: choice('fork', 'fork-twice', 'fork-write', 'parent-mprotect', 'child-mprotect'),
    childExits: boolean(false),
    failures: int(1, { min: 0, max: 3 }),
    /** Only this allocation fails, counted from 1; 0: any. */
    failing: int(0, { min: 0, max: 24 }),
    /** Whether NEEDSCOPY, which a fork leaves behind, counts as a change of the parent. */
    strict: boolean(false),
  },
  scenarios: {
    'half-fork': {
      formerly: 's2-before',
      about: 'a fork fails half way and leaves the child’s map',
      expect: { verdict: 'at-rest', property: 'a failed fork leaves nothing of the child', states: 42 },
    },
    'half-fork-read-only': {
      formerly: 's2-before-read-only',
      about: 'and leaves the parent’s second page read-only',
      params: { failing: 8 },
      expect: { verdict: 'at-rest', property: 'a failed fork leaves nothing of the child', states: 71 },
    },
    'half-fork-first-entry': {
      formerly: 's2-before-entry',
      about: 'control: a failure at its first entry, where nothing has happened yet',
      params: { failing: 1 },
      expect: { verdict: 'pass', states: 10 },
    },
    'half-fork-write': {
      formerly: 's2-before-write',
      about: 'the parent cannot write its memory any more',
      params: { call: 'fork-write', failures: 2 },
      checks: ['assertion'],
      expect: { verdict: 'assertion', property: 'a parent whose fork failed can write its memory', states: 108 },
    },
    'half-fork-destroyed': {
      formerly: 's2-copy',
      about: '4c1f9184 alone: the parent’s page is freed',
      params: { kernel: 'copy-fix', failing: 3 },
      expect: { verdict: 'at-rest', property: SOURCE, states: 58 },
    },
    'half-fork-references': {
      formerly: 's2-copy-refs',
      about: '4c1f9184 and 7c60f695: a page that cannot be mapped is put twice',
      params: { kernel: 'copy-refs-fix' },
      expect: { verdict: 'assertion', property: 'no page is put twice', states: 159 },
    },
    'half-fork-fixed': {
      formerly: 's2-after',
      about: 'all five repairs',
      params: { kernel: 'after' },
      expect: { verdict: 'pass', states: 227 },
    },
    'half-fork-write-fixed': {
      formerly: 's2-after-write',
      about: 'all five repairs: the parent can still write, unless memory fails again',
      params: { kernel: 'after', call: 'fork-write' },
      expect: { verdict: 'pass', states: 235 },
    },
    'half-fork-needscopy': {
      formerly: 's2-strict',
      about: 'all five repairs: NEEDSCOPY stays at the parent’s entry',
      params: { kernel: 'after', strict: true },
      expect: { verdict: 'at-rest', property: SOURCE, states: 113 },
    },
    'three-entries-fixed': {
      formerly: 's2-large',
      about: 'all five repairs, three entries and two failures',
      params: { kernel: 'after', layout: 'three-entries', failures: 2 },
      expect: { verdict: 'pass', states: 396 },
      large: true,
    },
    'three-entries': {
      formerly: 's2-large-before',
      about: 'three entries and two failures',
      params: { layout: 'three-entries', failures: 2 },
      expect: { verdict: 'at-rest', property: 'a failed fork leaves nothing of the child', states: 42 },
      large: true,
    },
    'amap-create': {
      formerly: 's3',
      about: 'amap_create has dropped its reference, and the anons keep one too many',
      params: { kernel: 'copy-fix', failing: 2 },
      expect: { verdict: 'at-rest', property: SOURCE, states: 32 },
    },
    'amap-create-fixed': {
      formerly: 's3-fixed',
      about: 'fixed by 7c60f695',
      params: { kernel: 'after', failing: 2 },
      expect: { verdict: 'pass', states: 48 },
    },
    'amap-create-mprotect': {
      formerly: 's3-living',
      about: 'a living process loses all pages of an entry',
      params: { history: 'forked', call: 'parent-mprotect', failing: 1 },
      expect: { verdict: 'at-rest', property: 'a call that fails loses no data', states: 25 },
    },
    'amap-create-mprotect-fixed': {
      formerly: 's3-living-fixed',
      about: 'fixed by 7c60f695, in a living process',
      params: { kernel: 'after', history: 'forked', call: 'parent-mprotect', layout: 'one-page', failing: 1 },
      expect: { verdict: 'pass', states: 11 },
    },
    'amap-create-shared': {
      formerly: 's3-large',
      about: 'three entries share the amap',
      params: { kernel: 'copy-fix', history: 'forked-twice', call: 'parent-mprotect', layout: 'one-page', failing: 1 },
      expect: { verdict: 'at-rest', property: 'a call that fails loses no data', states: 11 },
    },
    'amap-create-shared-fixed': {
      formerly: 's3-large-fixed',
      about: 'fixed by 7c60f695, three entries',
      params: { kernel: 'after', history: 'forked-twice', call: 'parent-mprotect', layout: 'one-page', failing: 1 },
      expect: { verdict: 'pass', states: 11 },
    },
    'anon-copy': {
      formerly: 's4',
      about: 'the child’s copy fails, and its exit frees the parent’s page',
      params: {
        kernel: 'copy-fix',
        history: 'forked',
        call: 'child-mprotect',
        layout: 'one-page',
        failing: 3,
        childExits: true,
      },
      expect: { verdict: 'at-rest', property: 'a call that fails loses no data', states: 37 },
    },
    'anon-copy-fixed': {
      formerly: 's4-fixed',
      about: 'fixed by 7c60f695',
      params: {
        kernel: 'after',
        history: 'forked',
        call: 'child-mprotect',
        layout: 'one-page',
        failing: 3,
        childExits: true,
      },
      expect: { verdict: 'pass', states: 37 },
    },
    'anon-copy-generations': {
      formerly: 's4-large',
      about: 'three generations of processes',
      params: { kernel: 'copy-fix', call: 'fork-twice', failing: 15 },
      expect: { verdict: 'at-rest', property: 'no page table leads to a free frame', states: 120 },
    },
    'anon-copy-generations-fixed': {
      formerly: 's4-large-fixed',
      about: 'all repairs, three generations of processes',
      params: { kernel: 'after', call: 'fork-twice', failures: 2 },
      expect: { verdict: 'pass', states: 452 },
      large: true,
    },
    physmem: {
      formerly: 's5',
      about: 'a failed copy of physical memory gives the child the parent’s page',
      params: { kernel: 'without-err-fix', layout: 'physmem' },
      expect: { verdict: 'at-rest', property: 'a failure is reported, and nothing else', states: 47 },
    },
    'physmem-shared': {
      formerly: 's5-shared',
      about: 'and both may write it',
      params: { kernel: 'without-err-fix', layout: 'physmem', failing: 4 },
      expect: { verdict: 'at-rest', property: 'a failure is reported, and nothing else', states: 22 },
    },
    'physmem-early': {
      formerly: 's5-early',
      about: 'control: a failure at the entry or the amap is reported',
      params: { kernel: 'without-err-fix', layout: 'physmem', failing: 2 },
      expect: { verdict: 'pass', states: 14 },
    },
    'physmem-fixed': {
      formerly: 's5-fixed',
      about: 'fixed by fe19ab6e',
      params: { kernel: 'after', layout: 'physmem' },
      expect: { verdict: 'pass', states: 76 },
    },
    device: {
      formerly: 's5-device',
      about: 'control: memory that the kernel does not manage',
      params: { kernel: 'without-err-fix', layout: 'device' },
      expect: { verdict: 'pass', states: 46 },
    },
    'device-fixed': {
      formerly: 's5-device-fixed',
      about: 'control: such memory with fe19ab6e',
      params: { kernel: 'after', layout: 'device' },
      expect: { verdict: 'pass', states: 46 },
    },
    'physmem-mixed': {
      formerly: 's5-large',
      about: 'beside anonymous memory',
      params: { kernel: 'without-err-fix', layout: 'mixed' },
      expect: { verdict: 'at-rest', property: 'a failure is reported, and nothing else', states: 187 },
    },
    'physmem-mixed-fixed': {
      formerly: 's5-large-fixed',
      about: 'fixed by fe19ab6e, beside anonymous memory',
      params: { kernel: 'after', layout: 'mixed' },
      expect: { verdict: 'pass', states: 255 },
    },
    'put-twice': {
      formerly: 's6-fork',
      about: 'a page that cannot be mapped is put twice',
      params: { kernel: 'copy-refs-fix', failing: 7 },
      expect: { verdict: 'assertion', property: 'no page is put twice', states: 56 },
    },
    'put-twice-fixed': {
      formerly: 's6-fork-fixed',
      about: 'fixed by bd1bdaca',
      params: { kernel: 'after', failing: 7 },
      expect: { verdict: 'pass', states: 67 },
    },
    'put-twice-shared': {
      formerly: 's6-large',
      about: 'another process shares the page, and maps a free one',
      params: { kernel: 'copy-refs-fix', layout: 'three-entries', failing: 14 },
      expect: { verdict: 'at-rest', property: SOURCE, states: 130 },
    },
    'put-twice-shared-fixed': {
      formerly: 's6-large-fixed',
      about: 'fixed by bd1bdaca, another process shares the page',
      params: { kernel: 'after', layout: 'three-entries', failing: 14 },
      expect: { verdict: 'pass', states: 122 },
    },
    'lost-page': {
      formerly: 's8',
      about: 'the anon of a copy cannot be allocated, and the page is gone',
      params: { kernel: 'after', history: 'forked', call: 'parent-mprotect', layout: 'one-page' },
      expect: { verdict: 'at-rest', property: 'a call that fails loses no data', states: 46 },
    },
    'lost-page-exit': {
      formerly: 's8-exit',
      about: 'and when the child exits, the page that is still mapped is free',
      params: {
        kernel: 'after',
        history: 'forked',
        call: 'parent-mprotect',
        layout: 'one-page',
        failing: 5,
        childExits: true,
      },
      expect: { verdict: 'at-rest', property: 'a call that fails loses no data', states: 43 },
    },
    'lost-page-fixed': {
      formerly: 's8-fixed',
      about: 'fixed: the anon is allocated first',
      params: { kernel: 'anon-fix', history: 'forked', call: 'parent-mprotect', layout: 'one-page', childExits: true },
      expect: { verdict: 'pass', states: 90 },
    },
    'lost-page-error': {
      formerly: 's8-large-error',
      about: 'two pages, the anon first: success is still returned',
      params: { kernel: 'anon-fix', history: 'forked', call: 'parent-mprotect', failing: 5 },
      expect: { verdict: 'at-rest', property: 'a failure is reported, and nothing else', states: 42 },
    },
    'lost-page-error-fixed': {
      formerly: 's8-large-fixed',
      about: 'fixed, two pages: the first failure is returned',
      params: { kernel: 'all-fixes', history: 'forked', call: 'parent-mprotect' },
      expect: { verdict: 'pass', states: 89 },
    },
    'lost-page-two': {
      formerly: 's8-large',
      about: 'two pages: success is returned for a page that is lost',
      params: { kernel: 'after', history: 'forked', call: 'parent-mprotect', failing: 5 },
      expect: { verdict: 'at-rest', property: 'a call that fails loses no data', states: 44 },
    },
  },
  machine(m, params) {
    const budget = new FailureBudget(m, { failures: params.failures, only: params.failing || null })
    const sharers = { fresh: 1, forked: 2, 'forked-twice': 3 }[params.history]
    const forks = params.call === 'fork-twice' ? 2 : params.call.startsWith('fork') ? 1 : 0
    const names = ['P', 'C', 'G'].slice(0, sharers + forks)
    const entries = LAYOUTS[params.layout]
    const pages = entries.reduce((sum, { pages: [from, to] }) => sum + to - from, 0)
    const kernel = makeKernel(
      m,
      {
        threads: 1,
        frames: pages * names.length + 1,
        anons: pages * names.length,
        amaps: entries.length * names.length,
        entries: entries.length * names.length,
        maps: names,
        stop: 7,
      },
      without(KERNELS[params.kernel], params.without),
      budget,
    )
    for (const entry of entries) setUpEntry(kernel, kernel.maps.slice(0, sharers), entry)
    const [parent, child] = kernel.maps as readonly [VmMap, VmMap]
    const result = m.struct(ResultStruct, 'result')
    m.thread(function* caller() {
      if (params.call === 'parent-mprotect' || params.call === 'child-mprotect') {
        const map = params.call === 'parent-mprotect' ? parent : child
        result.code = yield* vmMprotect(kernel, map, entriesOf(map)[0] as Instance<Entry>)
      } else {
        result.code = yield* fork(kernel, kernel.maps)
        if (params.call === 'fork-write') {
          const isWritten = yield* vmMapFault(kernel, parent, 1)
          m.assert(isWritten, 'a parent whose fork failed can write its memory')
        }
      }
      if (params.childExits) yield* vmMapDestroy(kernel, child)
    })
    properties(m, kernel)
    if (forks > 0) {
      unchangedOnFailure(m, kernel, parent, result, SOURCE, params.strict)
      const [last] = kernel.maps.slice(-1) as [VmMap]
      m.atRest(
        'a failed fork leaves nothing of the child',
        () =>
          result.code !== 'ENOMEM' ||
          entriesOf(last).length === 0 ||
          `${last.name} still has ${entriesOf(last).length} entries`,
      )
      childHasTheData(m, kernel, result)
      if (forks === 1) copiesArePrivate(m, kernel)
    } else {
      dataIsKept(
        m,
        kernel,
        parent,
        entriesOf(parent).flatMap(({ vaddr, size }) => Array.from({ length: size }, (_, i) => vaddr + i)),
      )
    }
    failuresAreReported(m, kernel, result)
    m.sometimes('an allocation fails', () => budget.hasStruck)
    if (params.failing === 0) m.sometimes('the call succeeds', () => result.code === 'ok')
  },
})
