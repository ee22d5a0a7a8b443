// Maestro: a TLB shootdown waits for other CPUs, which wait with their interrupts off.
//
// Claim (still there): a page fault runs with interrupts off, also while it waits for a shootdown (faults-*), for the
//   lock of a mapping (one-mapping-*) or for the lock of the address space (munmap-*). A CPU that waits for the fault's
//   CPU then never gets its acknowledgement. And a thread that holds a spin lock can be preempted by a thread that
//   spins on that lock with interrupts off (preempted-*).
// Repairs: serve-waiting, a CPU that waits for a shootdown serves the requests to itself; serve-spinning, so does a CPU
//   that spins with interrupts off; unlock, no thread holds a lock while it waits; hold-unpreempted, no thread is
//   preempted while it holds a spin lock; serve-always, a CPU that spins with preemption off serves, too. Without the
//   last one, hold-unpreempted brings the deadlock of munmap back, because a CPU does not serve while its thread cannot
//   be preempted.
//
// Source: Maestro 3569e232; found by reading.
import { type Cpu, type Program, atomically, choice, model, when } from 'vmcheck'
import {
  AddressSpace,
  FrameStore,
  RwSpinLock,
  Shootdown,
  SpinLock,
  disableInterrupts,
  disablePreemption,
  enableInterrupts,
  enablePreemption,
  noStaleTranslation,
} from 'vmcheck/vm'

/** Which repairs the kernel has. */
interface Repairs {
  readonly servesWhileWaiting: boolean
  readonly servesWhileSpinning: boolean
  readonly waitsUnlocked: boolean
  readonly holdsUnpreempted: boolean
  readonly servesWhileUnpreempted: boolean
}

const MASTER: Repairs = {
  servesWhileWaiting: false,
  servesWhileSpinning: false,
  waitsUnlocked: false,
  holdsUnpreempted: false,
  servesWhileUnpreempted: false,
}

const REPAIRS: Readonly<
  Record<
    | 'master'
    | 'serve-waiting'
    | 'serve-spinning'
    | 'unlock'
    | 'unlock-serve-waiting'
    | 'hold-unpreempted'
    | 'serve-spinning-hold-unpreempted'
    | 'serve-always-hold-unpreempted',
    Repairs
  >
> = {
  master: MASTER,
  'serve-waiting': { ...MASTER, servesWhileWaiting: true },
  'serve-spinning': { ...MASTER, servesWhileWaiting: true, servesWhileSpinning: true },
  unlock: { ...MASTER, waitsUnlocked: true },
  'unlock-serve-waiting': { ...MASTER, servesWhileWaiting: true, waitsUnlocked: true },
  'hold-unpreempted': { ...MASTER, holdsUnpreempted: true },
  'serve-spinning-hold-unpreempted': {
    ...MASTER,
    servesWhileWaiting: true,
    servesWhileSpinning: true,
    holdsUnpreempted: true,
  },
  'serve-always-hold-unpreempted': {
    ...MASTER,
    servesWhileWaiting: true,
    servesWhileSpinning: true,
    holdsUnpreempted: true,
    servesWhileUnpreempted: true,
  },
}

interface Kernel extends Repairs {
  readonly space: AddressSpace
  readonly state: RwSpinLock
  /** The locks of the mappings; each has one page. */
  readonly pages: readonly SpinLock[]
  readonly shootdown: Shootdown
  readonly bound: readonly Cpu[]
}

type Call = 'fault' | 'munmap' | 'mmap' | 'fork'

/** What a thread does, and to which mapping. */
type Task = readonly [call: Call, mapping: number]

/** By CPU, then thread. */
const WORKLOADS: Readonly<
  Record<'two-faults' | 'one-mapping' | 'munmap-fault' | 'preempted-holder' | 'three', readonly (readonly Task[])[]>
> = {
  'two-faults': [[['fault', 0]], [['fault', 1]]],
  'one-mapping': [[['fault', 0]], [['fault', 0]]],
  'munmap-fault': [[['munmap', 1]], [['fault', 0]]],
  'preempted-holder': [
    [
      ['mmap', 0],
      ['fault', 0],
    ],
  ],
  three: [
    [['fault', 0]],
    [['fault', 1]],
    [
      ['munmap', 2],
      ['fork', 0],
    ],
  ],
}

/** state for reading, in a fault: interrupts are off. */
function* readState({ state, servesWhileSpinning, shootdown }: Kernel, cpu: Cpu): Program {
  if (!servesWhileSpinning) {
    yield* state.read()
    return
  }
  while (!(yield* state.tryRead())) {
    yield* when(() => state.isReadable || shootdown.isAsked(cpu))
    yield* shootdown.serve(cpu)
  }
}

/** state for writing, in a call: preemption may be off. */
function* writeState({ state, servesWhileUnpreempted, shootdown }: Kernel, cpu: Cpu): Program {
  if (!servesWhileUnpreempted) {
    yield* state.write()
    return
  }
  while (!(yield* state.tryWrite())) {
    yield* when(() => state.isFree || shootdown.isAsked(cpu))
    yield* shootdown.serve(cpu)
  }
}

/** The lock of a mapping, in a fault: interrupts are off. */
function* lockPages({ pages, servesWhileSpinning, shootdown }: Kernel, mapping: number, cpu: Cpu): Program {
  const { word } = pages[mapping] as SpinLock
  if (!servesWhileSpinning) {
    yield* word.acquire()
    return
  }
  while (!(yield* word.tryAcquire())) {
    yield* when(() => word.owner === null || shootdown.isAsked(cpu))
    yield* shootdown.serve(cpu)
  }
}

/** The second half of shootdown(): until every CPU has acknowledged. */
function* waitForShootdown({ shootdown, servesWhileWaiting }: Kernel, cpu: Cpu): Program {
  if (!servesWhileWaiting) {
    yield* shootdown.wait()
    return
  }
  while (!(yield* shootdown.waitOrAsked(cpu))) yield* shootdown.serve(cpu)
}

/** The page fault: interrupts are off throughout. */
function* pageFault(kernel: Kernel, cpu: Cpu, mapping: number): Program {
  const { space, state, pages, shootdown, bound, waitsUnlocked } = kernel
  const lock = pages[mapping] as SpinLock
  yield* disableInterrupts()
  yield* readState(kernel, cpu)
  yield* lockPages(kernel, mapping, cpu)
  yield* atomically(() => {
    const frame = space.frames.frames.instances[mapping]
    if (frame) space.set(mapping, frame, true)
  })
  yield* shootdown.request([mapping], bound)
  if (!waitsUnlocked) yield* waitForShootdown(kernel, cpu)
  yield* lock.word.release()
  yield* state.release()
  if (waitsUnlocked) yield* waitForShootdown(kernel, cpu)
  yield* enableInterrupts()
}

/** munmap, mmap and fork: interrupts are on; mmap changes no page table, fork unmaps what it shares. */
function* change(kernel: Kernel, cpu: Cpu, call: Call, mapping: number): Program {
  const { space, state, shootdown, bound, waitsUnlocked, holdsUnpreempted } = kernel
  if (holdsUnpreempted) yield* disablePreemption()
  if (call === 'fork') yield* kernel.servesWhileUnpreempted ? readState(kernel, cpu) : state.read()
  else yield* writeState(kernel, cpu)
  if (call !== 'mmap') {
    yield* atomically(() => space.set(mapping, null))
    yield* shootdown.request([mapping], bound)
    if (!waitsUnlocked) yield* waitForShootdown(kernel, cpu)
  }
  yield* state.release()
  if (call !== 'mmap' && waitsUnlocked) yield* waitForShootdown(kernel, cpu)
  if (holdsUnpreempted) yield* enablePreemption()
}

export default model({
  title: 'Maestro: shootdowns and interrupts that are off',
  params: {
    workload: choice('two-faults', 'one-mapping', 'munmap-fault', 'preempted-holder', 'three').formerly({
      D1: 'two-faults',
      D2: 'one-mapping',
      D3: 'munmap-fault',
      D4: 'preempted-holder',
    }),
    kernel: choice(
      'master',
      'serve-waiting',
      'serve-spinning',
      'unlock',
      'unlock-serve-waiting',
      'hold-unpreempted',
      'serve-spinning-hold-unpreempted',
      'serve-always-hold-unpreempted',
    ).formerly({
      R1: 'serve-waiting',
      'R1+R3': 'unlock-serve-waiting',
      R2: 'serve-spinning',
      'R2+R4': 'serve-spinning-hold-unpreempted',
      'R2+R4+R5': 'serve-always-hold-unpreempted',
      R3: 'unlock',
      R4: 'hold-unpreempted',
    }),
  },
  scenarios: {
    faults: {
      formerly: 's8-d1',
      about: 'two faults send each other a shootdown, both with interrupts off',
      expect: { verdict: 'deadlock', states: 58 },
    },
    'faults-serve-waiting': {
      formerly: 's8-d1-r1',
      about: 'fixed: a CPU that waits for a shootdown serves requests',
      params: { kernel: 'serve-waiting' },
      expect: { verdict: 'pass', states: 176 },
    },
    'faults-serve-spinning': {
      formerly: 's8-d1-r2',
      about: 'fixed: a CPU that spins serves requests as well',
      params: { kernel: 'serve-spinning' },
      expect: { verdict: 'pass', states: 176 },
    },
    'faults-unlock': {
      formerly: 's8-d1-r3',
      about: 'waiting without locks is not enough',
      params: { kernel: 'unlock' },
      expect: { verdict: 'deadlock', states: 130 },
    },
    'faults-unlock-serve-waiting': {
      formerly: 's8-d1-r1-r3',
      about: 'fixed: waiting without locks, and serving meanwhile',
      params: { kernel: 'unlock-serve-waiting' },
      expect: { verdict: 'pass', states: 216 },
    },
    'one-mapping': {
      formerly: 's8-d2',
      about: 'two faults on one mapping: one spins on its lock with interrupts off',
      params: { workload: 'one-mapping' },
      expect: { verdict: 'deadlock', states: 31 },
    },
    'one-mapping-serve-waiting': {
      formerly: 's8-d2-r1',
      about: 'serving while waiting for a shootdown is not enough',
      params: { workload: 'one-mapping', kernel: 'serve-waiting' },
      expect: { verdict: 'deadlock', states: 31 },
    },
    'one-mapping-serve-spinning': {
      formerly: 's8-d2-r2',
      about: 'fixed: a CPU that spins serves requests',
      params: { workload: 'one-mapping', kernel: 'serve-spinning' },
      expect: { verdict: 'pass', states: 174 },
    },
    'one-mapping-unlock': {
      formerly: 's8-d2-r3',
      about: 'waiting without locks: the two faults then send each other a shootdown',
      params: { workload: 'one-mapping', kernel: 'unlock' },
      expect: { verdict: 'deadlock', states: 111 },
    },
    'one-mapping-unlock-serve-waiting': {
      formerly: 's8-d2-r1-r3',
      about: 'fixed: waiting without locks, and serving meanwhile',
      params: { workload: 'one-mapping', kernel: 'unlock-serve-waiting' },
      expect: { verdict: 'pass', states: 197 },
    },
    munmap: {
      formerly: 's8-d3',
      about: 'munmap waits for a fault that spins on the address space’s lock',
      params: { workload: 'munmap-fault' },
      expect: { verdict: 'deadlock', states: 12 },
    },
    'munmap-serve-waiting': {
      formerly: 's8-d3-r1',
      about: 'serving while waiting for a shootdown is not enough',
      params: { workload: 'munmap-fault', kernel: 'serve-waiting' },
      expect: { verdict: 'deadlock', states: 12 },
    },
    'munmap-serve-spinning': {
      formerly: 's8-d3-r2',
      about: 'fixed: a CPU that spins serves requests',
      params: { workload: 'munmap-fault', kernel: 'serve-spinning' },
      expect: { verdict: 'pass', states: 71 },
    },
    'munmap-unlock': {
      formerly: 's8-d3-r3',
      about: 'fixed: no lock is held while waiting',
      params: { workload: 'munmap-fault', kernel: 'unlock' },
      expect: { verdict: 'pass', states: 94 },
    },
    preempted: {
      formerly: 's8-d4',
      about: 'the lock’s holder is preempted by a thread that spins on the lock',
      params: { workload: 'preempted-holder' },
      expect: { verdict: 'deadlock', states: 6 },
    },
    'preempted-hold-unpreempted': {
      formerly: 's8-d4-r4',
      about: 'fixed: no preemption while a spin lock is held',
      params: { workload: 'preempted-holder', kernel: 'hold-unpreempted' },
      expect: { verdict: 'pass', states: 26 },
    },
    'three-cpus': {
      formerly: 's8-large',
      about: 'three CPUs: two faults, munmap and fork',
      params: { workload: 'three' },
      expect: { verdict: 'deadlock', states: 78 },
      large: true,
    },
    'munmap-hold-unpreempted': {
      formerly: 's8-d3-r2-r4',
      about: 'without preemption, a writer that spins does not serve: the deadlock is back',
      params: { workload: 'munmap-fault', kernel: 'serve-spinning-hold-unpreempted' },
      expect: { verdict: 'deadlock', states: 24 },
    },
    'munmap-serve-unpreempted': {
      formerly: 's8-d3-r2-r4-r5',
      about: 'fixed: it serves as well',
      params: { workload: 'munmap-fault', kernel: 'serve-always-hold-unpreempted' },
      expect: { verdict: 'pass', states: 137 },
    },
    'three-cpus-hold-unpreempted': {
      formerly: 's8-large-r2-r4',
      about: 'three CPUs: a writer that spins without preemption does not serve',
      params: { workload: 'three', kernel: 'serve-spinning-hold-unpreempted' },
      expect: { verdict: 'deadlock', states: 2_233 },
      large: true,
    },
    'three-cpus-fixed': {
      formerly: 's8-large-fixed',
      about: 'fixed, three CPUs',
      params: { workload: 'three', kernel: 'serve-always-hold-unpreempted' },
      expect: { verdict: 'pass', states: 32_507 },
      large: true,
    },
  },
  machine(m, params) {
    const tasks = WORKLOADS[params.workload]
    const repairs = REPAIRS[params.kernel]
    const cpus = tasks.map(() => m.cpu())
    const frames = new FrameStore(m, { frames: 3 })
    for (let i = 0; i < 3; i++) frames.allocate(i)
    const space = new AddressSpace(m, 'process', { pages: 3, frames, cpus: cpus.length })
    const tryable = repairs.servesWhileSpinning
    const kernel: Kernel = {
      ...repairs,
      space,
      state: new RwSpinLock(m, 'state', { tryable }),
      pages: [0, 1, 2].map((i) => new SpinLock(m, `mapping ${i}.pages`, { tryable })),
      shootdown: new Shootdown(m, 'shootdown', space, cpus, tasks.flat().length, { deferred: true }),
      bound: cpus,
    }
    tasks.forEach((threads, i) => {
      const cpu = cpus[i] as Cpu
      for (const [call, mapping] of threads) {
        m.thread(
          call === 'fault'
            ? function* fault() {
                yield* pageFault(kernel, cpu, mapping)
              }
            : function* systemCall() {
                yield* change(kernel, cpu, call, mapping)
              },
          { on: cpu },
        )
      }
    })
    m.atRest('no translation is stale', () => noStaleTranslation(space))
    m.atRest('every lock is free', () => kernel.state.isFree && kernel.pages.every(({ word }) => word.owner === null))
    m.sometimes('the address space is locked', () => !kernel.state.isFree)
    if (tasks.length > 1)
      m.sometimes('a CPU waits for another', () => cpus.some((cpu) => kernel.shootdown.isAsked(cpu)))
  },
})
