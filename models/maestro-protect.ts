// Maestro: a page is written after mprotect has made it read-only.
//
// Claim 1 (write-*, still there): mprotect changes a mapping that lies within its range in place and leaves the page
//   tables alone, so that every CPU that has the pages mapped can still write them.
// Claim 2 (fork-*, since eb1eaa87): a fork unmaps only pages that may be written. Pages that mprotect has made
//   read-only stay mapped, and the parent continues to write a page that the child shares.
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
const READ_ONLY = 'no thread writes a page whose protection was removed'
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
    write: {
      formerly: 's12',
      about: 'a page is written after mprotect has made it read-only',
      expect: { verdict: 'assertion', property: READ_ONLY, states: 15 },
    },
    'write-before': {
      formerly: 's12-before',
      about: 'before eb1eaa87: a fork unmaps everything, and the write faults',
      params: { kernel: 'before' },
      expect: { verdict: 'pass', states: 31 },
    },
    'write-fixed': {
      formerly: 's12-fixed',
      about: 'fixed: mprotect unmaps what it makes read-only',
      params: { kernel: 'fixed' },
      expect: { verdict: 'pass', states: 28 },
    },
    fork: {
      formerly: 's12-fork',
      about: 'the child reads what its parent wrote after the fork',
      params: { guardsWrites: false },
      expect: { verdict: 'assertion', property: PRIVATE, states: 24 },
    },
    'fork-before': {
      formerly: 's12-fork-before',
      about: 'before eb1eaa87: the child reads what was there',
      params: { kernel: 'before', guardsWrites: false },
      expect: { verdict: 'pass', states: 31 },
    },
    'fork-fixed': {
      formerly: 's12-fork-fixed',
      about: 'fixed: the child reads what was there',
      params: { kernel: 'fixed', guardsWrites: false },
      expect: { verdict: 'pass', states: 28 },
    },
    sibling: {
      formerly: 's12-sibling',
      about: 'a second thread writes at any time',
      params: { stores: 'sibling' },
      expect: { verdict: 'assertion', property: READ_ONLY, states: 21 },
    },
    'sibling-before': {
      formerly: 's12-sibling-before',
      about: 'a second thread writes at any time, before eb1eaa87',
      params: { stores: 'sibling', kernel: 'before' },
      expect: { verdict: 'assertion', property: READ_ONLY, states: 21 },
    },
    'sibling-fork': {
      formerly: 's12-sibling-fork',
      about: 'a second thread writes: the child reads what it wrote after the fork',
      params: { stores: 'sibling', guardsWrites: false },
      expect: { verdict: 'assertion', property: PRIVATE, states: 66 },
    },
    'sibling-fixed': {
      formerly: 's12-sibling-fixed',
      about: 'fixed, with a second thread',
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
    m.atRest('no translation is stale', () => noStaleTranslation(parent.table))
    m.sometimes('the page is read-only', () => stage.readOnly === 1)
  },
})
