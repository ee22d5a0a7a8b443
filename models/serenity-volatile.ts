// SerenityOS: memory that may be purged, and its clones.
//
// Claim 1 (clone-*): the clone of a volatile object has none of its pages. If the clone is not born purged, a child
//   that makes its memory non-volatile learns that nothing was lost, and reads zeroes. Fixed by f972eda7ed8.
// Claim 2 (lock-order-*, still there): a fork remaps its pages with the lock of the page tables held and takes the
//   object's lock for each; a purge, like every fault since January 2026, takes them in the other order: a deadlock.
//
// Source: SerenityOS 5f37b60744d, AnonymousVMObject::try_clone, set_volatile and purge, Region::map_impl; claim 2 found
// by reading.
import { type Instance, type Program, atomically, bool, boolean, choice, int, model, struct, when } from 'vmcheck'
import { fork, purge, setNonvolatile, setVolatile } from './serenity/fork.ts'
import { type Kernel, type Process, FROM_2026, makeKernel } from './serenity/kernel.ts'

/** What the parent's pages hold. */
const CONTENT = 7
const TRUTH = 'memory that is reported as not purged is as it was'
const StageStruct = struct<{ forked: boolean; purged: boolean; told: boolean }>('stage', {
  forked: bool,
  purged: bool,
  told: bool,
})

/** set_volatile(false), and a look at what is left. */
function* retrieve(kernel: Kernel, process: Process, stage: Instance<{ told: boolean }>): Program {
  const wasPurged = yield* setNonvolatile(kernel, process)
  yield* atomically(() => {
    if (wasPurged === false) stage.told = true
    if (wasPurged !== false) return
    kernel.m.assert(() => {
      const { shows } = process.object
      const page = process.slots.findIndex(({ frame }) => (frame?.content ?? 0) !== shows)
      return (
        page < 0 ||
        `page ${page} of ${process.name} held ${shows}, and reads ${process.slots[page]?.frame?.content ?? 0}`
      )
    }, TRUTH)
  })
}

export default model({
  title: 'SerenityOS: volatile memory and fork',
  params: {
    /** The child takes its memory back, the parent its own; or all orders of both, a fork and a purge. */
    workload: choice('child', 'parent', 'all-orders'),
    clonePurged: boolean(false),
    /** Which lock a fork's remapping takes first: that of the page tables (the kernel), or the object's (proposed). */
    remaps: choice('tables-first', 'object-first'),
    pages: int(1, { min: 1, max: 2 }),
  },
  scenarios: {
    clone: {
      formerly: 's7',
      about: 'the child learns that nothing was purged, and reads zeroes',
      expect: { verdict: 'assertion', property: TRUTH, states: 43 },
    },
    'clone-fixed': {
      formerly: 's7-fixed',
      about: 'fixed by f972eda7ed8: the clone is born purged',
      params: { clonePurged: true },
      expect: { verdict: 'pass', states: 44 },
    },
    parent: {
      formerly: 's7-parent',
      about: 'control: the parent takes its memory back',
      params: { workload: 'parent' },
      expect: { verdict: 'pass', states: 35 },
    },
    'parent-fixed': {
      formerly: 's7-parent-fixed',
      about: 'control, with f972eda7ed8',
      params: { workload: 'parent', clonePurged: true },
      expect: { verdict: 'pass', states: 35 },
    },
    'all-orders': {
      formerly: 's7-large',
      about: 'two pages, parent and child in all orders',
      params: { workload: 'all-orders', pages: 2, remaps: 'object-first' },
      expect: { verdict: 'assertion', property: TRUTH, states: 2_637 },
    },
    'all-orders-fixed': {
      formerly: 's7-large-fixed',
      about: 'fixed by f972eda7ed8, two pages, parent and child in all orders',
      params: { workload: 'all-orders', pages: 2, remaps: 'object-first', clonePurged: true },
      expect: { verdict: 'pass', states: 8_992 },
    },
    'lock-order': {
      formerly: 'order',
      about: 'a purge and a fork take two locks in opposite orders',
      params: { workload: 'all-orders', clonePurged: true },
      expect: { verdict: 'deadlock', states: 269 },
    },
    'lock-order-fixed': {
      formerly: 'order-fixed',
      about: 'fixed: both take the object’s lock first',
      params: { workload: 'all-orders', clonePurged: true, remaps: 'object-first' },
      expect: { verdict: 'pass', states: 5_436 },
    },
  },
  machine(m, { workload, clonePurged, remaps, pages }) {
    const real = Array.from({ length: pages }, () => 'frame' as const)
    const unborn = real.map(() => 'zero' as const)
    const kernel = makeKernel(
      m,
      { ...FROM_2026, clonePurged, objectFirst: remaps === 'object-first' },
      {
        processes: [
          { name: 'parent', set: null, slots: real },
          { name: 'child', set: null, slots: unborn },
        ],
        sets: [],
        spareSets: 1,
        uncommitted: 3 * pages,
        cpus: 1,
      },
    )
    const [parent, child] = kernel.processes as [Process, Process]
    for (const { frame } of parent.slots) if (frame) frame.content = CONTENT
    parent.object.shows = CONTENT
    const stage = m.struct(StageStruct, 'stage')
    const takesBack = workload !== 'child'

    m.thread(function* parentThread() {
      yield* setVolatile(kernel, parent)
      if (workload !== 'all-orders') {
        yield* fork(kernel, parent, child)
        yield* atomically(() => {
          stage.forked = true
        })
      }
      if (takesBack) yield* retrieve(kernel, parent, stage)
    })
    if (workload === 'all-orders') {
      m.thread(function* forker() {
        yield* fork(kernel, parent, child)
        yield* atomically(() => {
          stage.forked = true
        })
      })
      m.thread(function* purger() {
        const purged = yield* purge(kernel, parent)
        yield* atomically(() => {
          stage.purged = purged > 0
        })
      })
    }
    if (workload !== 'parent') {
      m.thread(function* childThread() {
        yield* when(() => stage.forked)
        yield* retrieve(kernel, child, stage)
        if (workload !== 'all-orders') return
        yield* setVolatile(kernel, child)
        yield* retrieve(kernel, child, stage)
      })
    }
    m.sometimes('the child exists', () => stage.forked)
    if (workload === 'all-orders') m.sometimes('pages are purged', () => stage.purged)
    if (workload !== 'child') m.sometimes('a thread learns that nothing was purged', () => stage.told)
  },
})
