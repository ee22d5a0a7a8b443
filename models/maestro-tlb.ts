// Maestro: translations that stay in the TLB after the page table has changed, on one CPU.
//
// Claim 1 (S5): fork write-protects the parent's pages; a TLB entry that still lets the parent write shows its later
//   writes to the child. Fixed by 0da27b98, which invalidates what it maps; loading the root again hides it too.
// Claim 2 (S6): every copy reads its source through one page, COPY_BUFFER; when its old translation stays cached, the
//   second copy is of the first one's page. This is the jump to 0x1 of the blog post. Fixed by 0da27b98, back in
//   5d98d94b, fixed again by 6fd36556.
// Claim 3: where nothing is invalidated, a TLB that has filled the faulting page again sends the copy itself to the old
//   frame, too; loading the root after a fork does not help that.
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

/** S5: the parent writes before and after a fork, the child reads. */
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

/** S5 over generations: each process forks the next, then writes; the next one sees what was there before. */
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

/** S6: two pages or more are copied one after the other. */
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
    epoch: choice('E0', 'E1', 'E3', 'E5'),
    /** Whether the root is loaded again before a fork returns to the parent. */
    reloads: boolean(false),
    pages: int(1, { min: 1, max: 4 }),
    children: int(1, { min: 1, max: 2 }),
    /** Where a copy is written. */
    copies: choice('to-frame', 'through-page'),
    /** Whether the other owner unmaps the first page after its copy, and somebody else gets the frame. */
    otherExits: boolean(false),
  },
  scenarios: {
    s5: {
      about: 'S5: the parent’s old translation still lets it write',
      expect: { verdict: 'assertion', property: 'a write after a fork is private', states: 8 },
    },
    's5-e1': { about: 'S5 with 0da27b98', params: { epoch: 'E1' }, expect: { verdict: 'pass', states: 16 } },
    's5-reload': {
      about: 'S5: loading the root hides it',
      params: { reloads: true },
      expect: { verdict: 'pass', states: 22 },
    },
    's5-reload-page': {
      about: 'S5: what loading the root does not hide: a copy is written to the old page',
      params: { reloads: true, copies: 'through-page' },
      expect: { verdict: 'assertion', property: 'a copy is written to its page', states: 11 },
    },
    's5-e1-page': {
      about: 'S5 with 0da27b98, copies written through their page',
      params: { epoch: 'E1', copies: 'through-page' },
      expect: { verdict: 'pass', states: 16 },
    },
    's5-children': {
      about: 'S5 with three pages and two children',
      params: { pages: 3, children: 2 },
      expect: { verdict: 'assertion', property: 'a write after a fork is private', states: 22 },
    },
    's5-large': {
      about: 'S5 with three pages, a child and a grandchild',
      params: { workload: 'generations', pages: 3, children: 2 },
      expect: { verdict: 'assertion', property: 'a write after a fork is private', states: 24 },
    },
    's5-large-e1': {
      about: 'S5 with three pages, a child and a grandchild, with 0da27b98',
      params: { workload: 'generations', pages: 3, children: 2, epoch: 'E1' },
      expect: { verdict: 'pass', states: 83 },
    },
    's5-children-e1': {
      about: 'S5 with three pages and two children, with 0da27b98',
      params: { epoch: 'E1', pages: 3, children: 2 },
      expect: { verdict: 'pass', states: 47 },
    },
    s6: {
      about: 'S6: the second copy is of the first page',
      params: { workload: 'copy', pages: 2 },
      expect: { verdict: 'assertion', property: 'a copy equals its source', states: 24 },
    },
    's6-e1': {
      about: 'S6 with 0da27b98',
      params: { workload: 'copy', pages: 2, epoch: 'E1' },
      expect: { verdict: 'pass', states: 23 },
    },
    's6-e3': {
      about: 'S6 since 5d98d94b',
      params: { workload: 'copy', pages: 2, epoch: 'E3' },
      expect: { verdict: 'assertion', property: 'a copy equals its source', states: 24 },
    },
    's6-e5': {
      about: 'S6 with 6fd36556',
      params: { workload: 'copy', pages: 2, epoch: 'E5' },
      expect: { verdict: 'pass', states: 23 },
    },
    's6-e5-page': {
      about: 'S6 with 6fd36556, copies written through their page',
      params: { workload: 'copy', pages: 2, epoch: 'E5', copies: 'through-page' },
      expect: { verdict: 'pass', states: 23 },
    },
    's6-large': {
      about: 'S6 with four pages: the first page is somebody else’s by then',
      params: { workload: 'copy', pages: 4, otherExits: true },
      expect: { verdict: 'assertion', property: 'no access reaches a foreign frame', states: 26 },
    },
    's6-large-e5': {
      about: 'S6 with four pages, with 6fd36556',
      params: { workload: 'copy', pages: 4, otherExits: true, epoch: 'E5' },
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
        ) || epoch === 'E0',
    )
  },
})
