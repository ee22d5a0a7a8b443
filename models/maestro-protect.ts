// Maestro: memory that was made read-only, and is written.
//
// Claim 1 (S12, still there): mprotect changes a mapping that is all within its range in place and leaves the page
//   tables alone, so that the pages stay writable for whoever has them mapped.
// Claim 2 (S12, since eb1eaa87): a fork unmaps only what may be written. What mprotect has made read-only is not, and
//   the parent continues writing a page that the child shares.
//
// Source: Maestro 3569e232, MemSpace::set_prot and MemSpace::fork; found by reading.
import { atomically, boolean, choice, model, struct, u } from 'vmcheck'
import { FailureBudget, FrameStore, noStaleTranslation, noTranslationToFree } from 'vmcheck/vm'
import { type Repairs, fork, makeProcess, makeResident, mprotect, readPage, writePage } from './maestro/protect.ts'
import type { MemSpace } from './maestro/transaction.ts'
import { Tree } from './maestro/tree.ts'

const PAGE = 0
/** What the page holds at first, and what is stored to it. */
const [BEFORE, AFTER] = [1, 2]
const READ_ONLY = 'nobody writes a page whose protection was taken away'
const PRIVATE = 'a child reads what its parent had at the fork'

const KERNELS: Readonly<Record<'before' | 'master' | 'fixed', Repairs>> = {
  before: { unmapsReduced: false, forkUnmaps: 'all' },
  master: { unmapsReduced: false, forkUnmaps: 'writable' },
  fixed: { unmapsReduced: true, forkUnmaps: 'writable' },
}

/** For properties only: how far the program is. */
const StageStruct = struct<{ readOnly: number; atFork: number }>('stage', { readOnly: u(1), atFork: u(2) })

export default model({
  title: 'Maestro: memory that was made read-only, and is written',
  params: {
    kernel: choice('master', 'before', 'fixed'),
    /** Who stores: the thread that has forked, or another one, on a CPU of its own, at any time. */
    stores: choice('itself', 'sibling'),
    /** Whether a write to a read-only page is a violation of its own, or only what comes of it. */
    guardsWrites: boolean(true),
  },
  scenarios: {
    s12: {
      about: 'S12: a page is written after mprotect has made it read-only',
      expect: { verdict: 'assertion', property: READ_ONLY, states: 15 },
    },
    's12-before': {
      about: 'S12 before eb1eaa87: written after a fork that unmaps everything, it faults',
      params: { kernel: 'before' },
      expect: { verdict: 'pass', states: 31 },
    },
    's12-fixed': {
      about: 'S12: mprotect unmaps what it makes read-only',
      params: { kernel: 'fixed' },
      expect: { verdict: 'pass', states: 28 },
    },
    's12-fork': {
      about: 'S12: the child sees what its parent stored after the fork',
      params: { guardsWrites: false },
      expect: { verdict: 'assertion', property: PRIVATE, states: 24 },
    },
    's12-fork-before': {
      about: 'S12 before eb1eaa87: the child sees what was there',
      params: { kernel: 'before', guardsWrites: false },
      expect: { verdict: 'pass', states: 31 },
    },
    's12-fork-fixed': {
      about: 'S12 fixed: the child sees what was there',
      params: { kernel: 'fixed', guardsWrites: false },
      expect: { verdict: 'pass', states: 28 },
    },
    's12-sibling': {
      about: 'S12 with a second thread that stores at any time',
      params: { stores: 'sibling' },
      expect: { verdict: 'assertion', property: READ_ONLY, states: 21 },
    },
    's12-sibling-before': {
      about: 'S12 with a second thread, before eb1eaa87',
      params: { stores: 'sibling', kernel: 'before' },
      expect: { verdict: 'assertion', property: READ_ONLY, states: 21 },
    },
    's12-sibling-fork': {
      about: 'S12 with a second thread: the child sees what it stored after the fork',
      params: { stores: 'sibling', guardsWrites: false },
      expect: { verdict: 'assertion', property: PRIVATE, states: 66 },
    },
    's12-sibling-fixed': {
      about: 'S12 with a second thread, fixed',
      params: { stores: 'sibling', kernel: 'fixed' },
      expect: { verdict: 'pass', states: 141 },
    },
  },
  machine(m, { kernel, stores, guardsWrites }) {
    const repairs = KERNELS[kernel]
    const first = m.cpu()
    const second = stores === 'sibling' ? m.cpu() : null
    const cpus = second ? [first, second] : [first]
    const frames = new FrameStore(m, { frames: 3 })
    const budget = new FailureBudget(m, { failures: 0 })
    const spaceOf = (name: string, mappings: readonly (readonly [number, number])[]): MemSpace => ({
      m,
      budget,
      savesOnce: true,
      skipDiscarded: true,
      remainder: 'relative',
      deletesEagerly: false,
      protectsInPlace: true,
      gaps: new Tree(m, `gap of ${name}`, 1, []),
      mappings: new Tree(m, `mapping of ${name}`, 1, mappings),
    })
    const stage = m.struct(StageStruct, 'stage')
    const parent = makeProcess(
      m,
      'parent',
      frames,
      spaceOf('parent', [[PAGE, PAGE + 1]]),
      cpus,
      cpus.length,
      (cpu, page) => {
        if (guardsWrites)
          m.assert(
            () => stage.readOnly === 0 || `CPU ${cpu} writes page ${page} after mprotect has returned`,
            READ_ONLY,
          )
      },
    )
    const child = makeProcess(m, 'child', frames, spaceOf('child', []), [], cpus.length)
    makeResident(parent, PAGE, BEFORE)

    m.thread(
      function* caller() {
        yield* mprotect(parent, repairs, PAGE, 1, 'r')
        yield* atomically(() => {
          stage.readOnly = 1
        })
        yield* fork(parent, repairs, child)
        yield* atomically(() => {
          stage.atFork = child.slots[PAGE]?.frame?.content ?? 0
        })
        if (stores === 'itself') yield* writePage(parent, 0, PAGE, AFTER)
        const seen = yield* readPage(child, 0, PAGE)
        m.assert(
          () => seen === stage.atFork || `page ${PAGE} held ${stage.atFork} at the fork, and the child reads ${seen}`,
          PRIVATE,
        )
      },
      { on: first },
    )
    if (second)
      m.thread(
        function* sibling() {
          yield* writePage(parent, 1, PAGE, AFTER)
        },
        { on: second },
      )
    m.atRest('no page table leads to a free frame', () => noTranslationToFree([parent.table, child.table]))
    m.atRest('nothing stale is cached', () => noStaleTranslation(parent.table))
    m.sometimes('the page is read-only', () => stage.readOnly === 1)
  },
})
