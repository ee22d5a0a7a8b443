// Maestro: a CPU uses an address space and is not in the set of CPUs that shootdowns are sent to.
//
// Claim 1 (thread-switch-*): a switch between two threads of one process binds the space that is bound already, and
//   then clears the bit of "the previous space", which is the same one. An munmap on another CPU then does not reach
//   this CPU, which continues to write to a frame that another process has by then. Fixed by 6fd36556 and 39763b2b.
// Claim 2 (temporary-switch-*): switch(), which runs kernel code in another process's space, loads the root of its page
//   tables and does not set the bit.
//
// Source: Maestro from 01dea919 to 6fd36556 (August to October 2025).
import {
  type Cpu,
  type Instance,
  type Machine,
  type Program,
  atomically,
  choice,
  int,
  model,
  struct,
  u,
  volatile,
} from 'vmcheck'
import {
  AddressSpace,
  type Frame,
  FrameStore,
  Shootdown,
  disablePreemption,
  enablePreemption,
  noStaleTranslation,
  noTranslationToFree,
} from 'vmcheck/vm'

/** Which CPUs have the space's root loaded, as the kernel believes: one bit a CPU. */
const BoundStruct = struct<{ cpus: number }>('bound_cpus', { cpus: volatile(u(4)) })

interface Kernel {
  readonly m: Machine
  readonly space: AddressSpace
  readonly frames: FrameStore
  readonly bound: Instance<{ cpus: number }>
  readonly shootdown: Shootdown
  readonly cpus: readonly Cpu[]
  /** 6fd36556 and 39763b2b */
  readonly fixed: boolean
  /** Whether a stale translation is a violation, or only its use. */
  readonly looksForStale: boolean
}

/** What a frame holds that another process got. */
const FOREIGN = 9

/** bind, where the CPU's thread before was of the same space (`rebinds`) or of another. */
function* bind({ space, bound, fixed }: Kernel, cpu: Cpu, rebinds: boolean): Program {
  if (rebinds && fixed) return
  const bit = 1 << cpu.index
  yield* disablePreemption()
  yield* atomically(() => {
    bound.cpus |= bit
  })
  yield* atomically(() => space.bind(cpu.index))
  if (rebinds)
    yield* atomically(() => {
      bound.cpus &= ~bit
    })
  yield* enablePreemption()
}

/** unbind: the kernel's root is loaded, then the bit cleared. */
function* unbind({ space, bound }: Kernel, cpu: Cpu): Program {
  yield* disablePreemption()
  yield* atomically(() => space.unbind(cpu.index))
  yield* atomically(() => {
    bound.cpus &= ~(1 << cpu.index)
  })
  yield* enablePreemption()
}

/** switch(): kernel code reads another process's memory through its space, which is bound for as long as that takes. */
function* readThrough(kernel: Kernel, cpu: Cpu, pages: readonly number[]): Program {
  const { space, bound, fixed } = kernel
  const bit = 1 << cpu.index
  if (fixed)
    yield* atomically(() => {
      bound.cpus |= bit
    })
  yield* atomically(() => space.bind(cpu.index))
  for (const page of pages) yield* access(kernel, cpu, page, 'read')
  yield* atomically(() => space.unbind(cpu.index))
  if (fixed)
    yield* atomically(() => {
      bound.cpus &= ~bit
    })
}

/** An access to a page of the space; nothing happens when it faults, since the page is gone then. */
function* access({ m, space }: Kernel, cpu: Cpu, page: number, kind: 'read' | 'write'): Program {
  yield* atomically(() => {
    const found = space.access(cpu.index, page, kind)
    if (!found) return
    m.assert(
      () =>
        found.frame.content !== FOREIGN ||
        `${cpu.name} ${kind}s page ${page} through an old translation to ${found.frame.name}, which belongs to another process; the page table says ${space.translation(page)?.frame.name ?? 'nothing'}`,
      'no access reaches a foreign frame',
    )
    if (kind === 'write') found.frame.content = 1
  })
}

/** munmap: the page table entry goes, then every translation, then the frame; another process gets that. */
function* munmap({ m, space, frames, bound, shootdown, cpus, looksForStale }: Kernel, page: number): Program {
  const frame: Instance<Frame> | null = yield* atomically(() => {
    const found = space.translation(page)
    space.set(page, null)
    return found?.frame ?? null
  })
  const targets = yield* atomically(() => bound.cpus)
  yield* shootdown.request(
    [page],
    cpus.filter((cpu) => ((targets >> cpu.index) & 1) === 1),
  )
  yield* shootdown.wait()
  if (looksForStale) m.assert(() => noStaleTranslation(space, [page]), 'no stale translation after a shootdown')
  if (!frame) return
  yield* atomically(() => {
    frames.release(frame)
    frames.allocate(FOREIGN)
  })
}

export default model({
  title: 'Maestro: CPUs missing from a shootdown',
  params: {
    workload: choice('bind', 'switch', 'three'),
    kernel: choice('before', 'fixed'),
    pages: int(1, { min: 1, max: 3 }),
    /** Whether a stale translation is a violation already, or only its use. */
    looksFor: choice('translations', 'accesses'),
  },
  scenarios: {
    'thread-switch': {
      formerly: 's7a',
      about: 'switching between two threads of a process clears the bit that it has just set',
      expect: { verdict: 'assertion', property: 'no stale translation after a shootdown', states: 86 },
    },
    'thread-switch-access': {
      formerly: 's7a-access',
      about: 'the same: a thread uses the old translation',
      params: { looksFor: 'accesses' },
      expect: { verdict: 'assertion', property: 'no access reaches a foreign frame', states: 120 },
    },
    'thread-switch-fixed': {
      formerly: 's7a-fixed',
      about: 'fixed by 6fd36556',
      params: { kernel: 'fixed' },
      expect: { verdict: 'pass', states: 102 },
    },
    'temporary-switch': {
      formerly: 's7b',
      about: 'switch() loads another root and never sets the bit',
      params: { workload: 'switch' },
      expect: { verdict: 'assertion', property: 'no stale translation after a shootdown', states: 36 },
    },
    'temporary-switch-access': {
      formerly: 's7b-access',
      about: 'the same: the kernel uses the old translation',
      params: { workload: 'switch', looksFor: 'accesses' },
      expect: { verdict: 'assertion', property: 'no access reaches a foreign frame', states: 41 },
    },
    'temporary-switch-fixed': {
      formerly: 's7b-fixed',
      about: 'fixed by 6fd36556',
      params: { workload: 'switch', kernel: 'fixed' },
      expect: { verdict: 'pass', states: 79 },
    },
    'three-cpus': {
      formerly: 's7-large',
      about: 'three CPUs, another process and three pages',
      params: { workload: 'three', pages: 3 },
      expect: { verdict: 'assertion', property: 'no stale translation after a shootdown', states: 648 },
    },
    'three-cpus-fixed': {
      formerly: 's7-large-fixed',
      about: 'fixed by 6fd36556, three CPUs, another process and three pages',
      params: { workload: 'three', pages: 3, kernel: 'fixed' },
      expect: { verdict: 'pass', states: 7_400 },
      large: true,
    },
  },
  machine(m, { workload, kernel: version, pages, looksFor }) {
    const cpus = Array.from({ length: workload === 'three' ? 3 : 2 }, () => m.cpu())
    const [first, second, third] = cpus as [Cpu, Cpu, Cpu | undefined]
    const frames = new FrameStore(m, { frames: pages + 1 })
    const space = new AddressSpace(m, 'S', { pages, frames, cpus: cpus.length, bound: false })
    const binders = workload === 'switch' ? [] : [second]
    const switchers = workload === 'switch' ? [second] : []
    for (let page = 0; page < pages; page++) space.set(page, frames.allocate(), true)
    for (const cpu of [first, ...binders]) space.bind(cpu.index)
    const kernel: Kernel = {
      m,
      space,
      frames,
      bound: m.struct(BoundStruct, 'bound_cpus', {
        cpus: 1 | binders.reduce((mask, cpu) => mask | (1 << cpu.index), 0),
      }),
      shootdown: new Shootdown(m, 'shootdown', space, cpus, cpus.length, { deferred: true }),
      cpus,
      fixed: version === 'fixed',
      looksForStale: looksFor === 'translations',
    }
    m.thread(
      function* unmapper() {
        for (let page = 0; page < pages; page++) yield* munmap(kernel, page)
      },
      { on: first },
    )
    for (const cpu of binders) {
      m.thread(
        function* otherThread() {
          yield* bind(kernel, cpu, true)
          yield* access(kernel, cpu, 0, 'read')
          yield* access(kernel, cpu, pages - 1, 'write')
          yield* unbind(kernel, cpu)
        },
        { on: cpu },
      )
    }
    if (third) {
      m.thread(
        function* otherProcess() {
          if (m.choose(2, 'what the third CPU does', ['runs the process', 'reads its memory']) === 1) {
            yield* readThrough(kernel, third, [0, pages - 1])
            return
          }
          yield* bind(kernel, third, false)
          yield* access(kernel, third, 0, 'read')
          yield* unbind(kernel, third)
        },
        { on: third },
      )
    }
    for (const cpu of switchers) {
      m.thread(
        function* procfs() {
          yield* readThrough(kernel, cpu, [0, pages - 1])
        },
        { on: cpu },
      )
    }
    m.atRest('no frame that is mapped is free', () => noTranslationToFree([space]))
    m.sometimes('another CPU is asked', () => cpus.some((cpu) => kernel.shootdown.isAsked(cpu)) || version === 'before')
  },
})
