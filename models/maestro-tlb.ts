// Maestro: translations that stay in the TLB after the page table has changed, on one CPU.
//
// Claim 1 (fork-*, grandchild-*): fork write-protects the parent's pages. A TLB entry that still lets the parent write
//   shows its later writes to the child. Fixed by 0da27b98, which invalidates what it maps; loading the root of the
//   page tables again hides the bug.
// Claim 2 (copy-buffer-*): every copy reads its source through one page, COPY_BUFFER. When the old translation of that
//   page stays cached, the second copy reads the first one's source. This is the jump to 0x1 of the blog post. Fixed by
//   0da27b98, broken again by 5d98d94b, fixed again by 6fd36556.
// Claim 3 (fork-reload-page): where nothing is invalidated, a TLB that has cached the faulting page again sends the
//   copy itself to the old frame. Loading the root after a fork does not help that.
//
// Source: Maestro, the commits named.
import { type Program, atomically, boolean, choice, int, model } from 'vmcheck'
import { FailureBudget, FrameStore } from 'vmcheck/vm'
import {
  CPU,
  EPOCHS,
  FOREIGN,
  type Kernel,
  type Process,
  exit,
  fork,
  makeLog,
  makeProcess,
  makeResident,
  properties,
  switchTo,
  userRead,
  userWrite,
} from './maestro/vmem.ts'

/** The parent writes before and after a fork, the child reads. */
function forkAndWrite(kernel: Kernel, parent: Process, children: readonly Process[], reloads: boolean): () => Program {
  const { m } = kernel
  return function* forkThenWrite() {
    for (const page of parent.slots.keys()) yield* userWrite(kernel, parent, page, 1)
    for (const child of children) yield* fork(kernel, parent, child)
    if (reloads) yield* atomically(() => parent.vmem.invalidateAll(CPU))
    for (const page of parent.slots.keys()) yield* userWrite(kernel, parent, page, 2)
    for (const [i, child] of children.entries()) {
      yield* switchTo(children[i - 1] ?? parent, child)
      for (const page of child.slots.keys()) {
        const value = yield* userRead(kernel, child, page)
        m.assert(value === 1, 'a write after a fork is private')
      }
    }
  }
}

/** Each process forks the next, then writes; the next one sees what was there before. */
function forkGenerations(kernel: Kernel, processes: readonly Process[]): () => Program {
  const { m } = kernel
  return function* generations() {
    const [first] = processes as readonly [Process]
    for (const page of first.slots.keys()) yield* userWrite(kernel, first, page, 1)
    for (const [i, process] of processes.entries()) {
      const next = processes[i + 1]
      for (const page of process.slots.keys()) {
        const value = yield* userRead(kernel, process, page)
        m.assert(value === 1, 'a write after a fork is private')
      }
      if (!next) return
      yield* fork(kernel, process, next)
      for (const page of process.slots.keys()) yield* userWrite(kernel, process, page, 2)
      yield* switchTo(process, next)
    }
  }
}

/** Two pages or more are copied one after the other. */
function copyPages(kernel: Kernel, process: Process, other: Process, otherExits: boolean): () => Program {
  return function* writePages() {
    for (const page of process.slots.keys()) {
      yield* userWrite(kernel, process, page, 5)
      if (!otherExits || page > 0) continue
      yield* exit(kernel, other, 1)
      yield* atomically(() => kernel.frames.allocate(FOREIGN))
    }
  }
}

export default model({
  title: 'Maestro: stale translations on one CPU',
  params: {
    workload: choice('fork', 'generations', 'copy'),
    epoch: choice('before-0da27b98', '0da27b98', '5d98d94b', '6fd36556').formerly({
      E0: 'before-0da27b98',
      E1: '0da27b98',
      E3: '5d98d94b',
      E5: '6fd36556',
    }),
    /** Whether the root is loaded again before a fork returns to the parent. */
    reloads: boolean(false),
    pages: int(1, { min: 1, max: 4 }),
    children: int(1, { min: 1, max: 2 }),
    /** Where a copy is written. */
    copies: choice('to-frame', 'through-page'),
    /** Whether the other owner unmaps the first page after its copy, and another process gets the frame. */
    otherExits: boolean(false),
  },
  scenarios: {
    fork: {
      formerly: 's5',
      about: 'the parent still writes through its old translation after a fork',
      expect: { verdict: 'assertion', property: 'a write after a fork is private', states: 8 },
    },
    'fork-fixed': {
      formerly: 's5-e1',
      about: 'fixed by 0da27b98',
      params: { epoch: '0da27b98' },
      expect: { verdict: 'pass', states: 16 },
    },
    'fork-reload': {
      formerly: 's5-reload',
      about: 'loading the root again hides it',
      params: { reloads: true },
      expect: { verdict: 'pass', states: 22 },
    },
    'fork-reload-page': {
      formerly: 's5-reload-page',
      about: 'loading the root does not hide this: a copy is written to the old page',
      params: { reloads: true, copies: 'through-page' },
      expect: { verdict: 'assertion', property: 'a copy is written to its page', states: 11 },
    },
    'fork-fixed-page': {
      formerly: 's5-e1-page',
      about: 'fixed by 0da27b98, copies written through their page',
      params: { epoch: '0da27b98', copies: 'through-page' },
      expect: { verdict: 'pass', states: 16 },
    },
    'fork-twice': {
      formerly: 's5-children',
      about: 'three pages and two children',
      params: { pages: 3, children: 2 },
      expect: { verdict: 'assertion', property: 'a write after a fork is private', states: 22 },
    },
    grandchild: {
      formerly: 's5-large',
      about: 'three pages, a child and a grandchild',
      params: { workload: 'generations', pages: 3, children: 2 },
      expect: { verdict: 'assertion', property: 'a write after a fork is private', states: 24 },
    },
    'grandchild-fixed': {
      formerly: 's5-large-e1',
      about: 'fixed by 0da27b98, three pages, a child and a grandchild',
      params: { workload: 'generations', pages: 3, children: 2, epoch: '0da27b98' },
      expect: { verdict: 'pass', states: 83 },
    },
    'fork-twice-fixed': {
      formerly: 's5-children-e1',
      about: 'fixed by 0da27b98, three pages and two children',
      params: { epoch: '0da27b98', pages: 3, children: 2 },
      expect: { verdict: 'pass', states: 47 },
    },
    'copy-buffer': {
      formerly: 's6',
      about: 'the second copy reads the first one’s page',
      params: { workload: 'copy', pages: 2 },
      expect: { verdict: 'assertion', property: 'a copy equals its source', states: 24 },
    },
    'copy-buffer-fixed': {
      formerly: 's6-e1',
      about: 'fixed by 0da27b98',
      params: { workload: 'copy', pages: 2, epoch: '0da27b98' },
      expect: { verdict: 'pass', states: 23 },
    },
    'copy-buffer-again': {
      formerly: 's6-e3',
      about: 'broken again by 5d98d94b',
      params: { workload: 'copy', pages: 2, epoch: '5d98d94b' },
      expect: { verdict: 'assertion', property: 'a copy equals its source', states: 24 },
    },
    'copy-buffer-fixed-again': {
      formerly: 's6-e5',
      about: 'fixed again by 6fd36556',
      params: { workload: 'copy', pages: 2, epoch: '6fd36556' },
      expect: { verdict: 'pass', states: 23 },
    },
    'copy-buffer-fixed-again-page': {
      formerly: 's6-e5-page',
      about: 'fixed by 6fd36556, copies written through their page',
      params: { workload: 'copy', pages: 2, epoch: '6fd36556', copies: 'through-page' },
      expect: { verdict: 'pass', states: 23 },
    },
    'copy-buffer-freed': {
      formerly: 's6-large',
      about: 'four pages: the first page belongs to another process by then',
      params: { workload: 'copy', pages: 4, otherExits: true },
      expect: { verdict: 'assertion', property: 'no access reaches a foreign frame', states: 26 },
    },
    'copy-buffer-freed-fixed': {
      formerly: 's6-large-e5',
      about: 'fixed by 6fd36556, four pages',
      params: { workload: 'copy', pages: 4, otherExits: true, epoch: '6fd36556' },
      expect: { verdict: 'pass', states: 47 },
    },
  },
  machine(m, { workload, epoch, reloads, pages, children, copies, otherExits }) {
    const isFork = workload !== 'copy'
    const frames = new FrameStore(m, { frames: isFork ? pages * (children + 1) : 2 * pages + (otherExits ? 1 : 0) })
    const kernel: Kernel = {
      m,
      ...EPOCHS[epoch],
      reserves: false,
      writesThroughPage: copies === 'through-page',
      budget: new FailureBudget(m, { failures: 0 }),
      frames,
      log: makeLog(m),
    }
    const parent = makeProcess(m, 'parent', frames, pages)
    const others = Array.from({ length: isFork ? children : 1 }, (_, i) => makeProcess(m, `child ${i}`, frames, pages))
    makeResident(frames, parent, isFork ? null : (others[0] as Process))
    properties(m, frames, [parent, ...others], otherExits ? 1 : 0)
    m.thread(
      workload === 'generations'
        ? forkGenerations(kernel, [parent, ...others])
        : isFork
          ? forkAndWrite(kernel, parent, others, reloads)
          : copyPages(kernel, parent, others[0] as Process, otherExits),
    )
    m.sometimes(
      'a page is copied',
      () =>
        parent.slots.some(
          ({ frame }, page) =>
            frame !== others[0]?.slots[page]?.frame &&
            frame !== null &&
            (others[0]?.slots[page]?.frame ?? null) !== null,
        ) || epoch === 'before-0da27b98',
    )
  },
})
