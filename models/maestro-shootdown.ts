// Maestro: a TLB shootdown waits for other CPUs, which wait with their interrupts off.
//
// Claim (S8, still there): a page fault runs with interrupts off, also while it waits for a shootdown (D1), for the
//   lock of a mapping (D2) or for the address space (D3); the CPU that it shoots at, or that shoots at it, then never
//   gets its acknowledgement. And whoever holds a spin lock can be preempted by a thread that spins on it with
//   interrupts off (D4).
// Repairs: R1, who waits for a shootdown serves its own CPU's requests; R2, so does whoever spins with interrupts off;
//   R3, no one holds a lock while it waits; R4, no one is preempted while it holds a spin lock; R5, whoever spins with
//   preemption off serves, too: without it R4 brings D3 back, since a CPU does not serve while its thread cannot be
//   preempted.
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

const REPAIRS: Readonly<Record<'master' | 'R1' | 'R2' | 'R3' | 'R1+R3' | 'R4' | 'R2+R4' | 'R2+R4+R5', Repairs>> = {
  master: MASTER,
  R1: { ...MASTER, servesWhileWaiting: true },
  R2: { ...MASTER, servesWhileWaiting: true, servesWhileSpinning: true },
  R3: { ...MASTER, waitsUnlocked: true },
  'R1+R3': { ...MASTER, servesWhileWaiting: true, waitsUnlocked: true },
  R4: { ...MASTER, holdsUnpreempted: true },
  'R2+R4': { ...MASTER, servesWhileWaiting: true, servesWhileSpinning: true, holdsUnpreempted: true },
  'R2+R4+R5': {
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
const WORKLOADS: Readonly<Record<'D1' | 'D2' | 'D3' | 'D4' | 'three', readonly (readonly Task[])[]>> = {
  D1: [[['fault', 0]], [['fault', 1]]],
  D2: [[['fault', 0]], [['fault', 0]]],
  D3: [[['munmap', 1]], [['fault', 0]]],
  D4: [
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
    workload: choice('D1', 'D2', 'D3', 'D4', 'three'),
    kernel: choice('master', 'R1', 'R2', 'R3', 'R1+R3', 'R4', 'R2+R4', 'R2+R4+R5'),
  },
  scenarios: {
    's8-d1': { about: 'S8 D1: two faults shoot at each other', expect: { verdict: 'deadlock', states: 58 } },
    's8-d1-r1': {
      about: 'S8 D1: who waits serves',
      params: { kernel: 'R1' },
      expect: { verdict: 'pass', states: 176 },
    },
    's8-d1-r2': {
      about: 'S8 D1: who spins serves',
      params: { kernel: 'R2' },
      expect: { verdict: 'pass', states: 176 },
    },
    's8-d1-r3': {
      about: 'S8 D1: unlocking is not enough',
      params: { kernel: 'R3' },
      expect: { verdict: 'deadlock', states: 130 },
    },
    's8-d1-r1-r3': {
      about: 'S8 D1: unlocking, and who waits serves',
      params: { kernel: 'R1+R3' },
      expect: { verdict: 'pass', states: 216 },
    },
    's8-d2': {
      about: 'S8 D2: two faults on one mapping',
      params: { workload: 'D2' },
      expect: { verdict: 'deadlock', states: 31 },
    },
    's8-d2-r1': {
      about: 'S8 D2: serving while waiting is not enough',
      params: { workload: 'D2', kernel: 'R1' },
      expect: { verdict: 'deadlock', states: 31 },
    },
    's8-d2-r2': {
      about: 'S8 D2: who spins serves',
      params: { workload: 'D2', kernel: 'R2' },
      expect: { verdict: 'pass', states: 174 },
    },
    's8-d2-r3': {
      about: 'S8 D2: nobody holds a lock while it waits, and it is D1 again',
      params: { workload: 'D2', kernel: 'R3' },
      expect: { verdict: 'deadlock', states: 111 },
    },
    's8-d2-r1-r3': {
      about: 'S8 D2: and who waits serves',
      params: { workload: 'D2', kernel: 'R1+R3' },
      expect: { verdict: 'pass', states: 197 },
    },
    's8-d3': {
      about: 'S8 D3: munmap and a fault',
      params: { workload: 'D3' },
      expect: { verdict: 'deadlock', states: 12 },
    },
    's8-d3-r1': {
      about: 'S8 D3: serving while waiting is not enough',
      params: { workload: 'D3', kernel: 'R1' },
      expect: { verdict: 'deadlock', states: 12 },
    },
    's8-d3-r2': {
      about: 'S8 D3: who spins serves',
      params: { workload: 'D3', kernel: 'R2' },
      expect: { verdict: 'pass', states: 71 },
    },
    's8-d3-r3': {
      about: 'S8 D3: nobody holds a lock while it waits',
      params: { workload: 'D3', kernel: 'R3' },
      expect: { verdict: 'pass', states: 94 },
    },
    's8-d4': {
      about: 'S8 D4: the holder is preempted by who spins',
      params: { workload: 'D4' },
      expect: { verdict: 'deadlock', states: 6 },
    },
    's8-d4-r4': {
      about: 'S8 D4: no preemption while a spin lock is held',
      params: { workload: 'D4', kernel: 'R4' },
      expect: { verdict: 'pass', states: 26 },
    },
    's8-large': {
      about: 'S8 with three CPUs: two faults, munmap and fork',
      params: { workload: 'three' },
      expect: { verdict: 'deadlock', states: 78 },
      large: true,
    },
    's8-d3-r2-r4': {
      about: 'S8 D3: a writer that spins unpreemptibly does not serve',
      params: { workload: 'D3', kernel: 'R2+R4' },
      expect: { verdict: 'deadlock', states: 24 },
    },
    's8-d3-r2-r4-r5': {
      about: 'S8 D3: and when it does',
      params: { workload: 'D3', kernel: 'R2+R4+R5' },
      expect: { verdict: 'pass', states: 137 },
    },
    's8-large-r2-r4': {
      about: 'S8 with three CPUs, R2 and R4: D3 again',
      params: { workload: 'three', kernel: 'R2+R4' },
      expect: { verdict: 'deadlock', states: 2_233 },
      large: true,
    },
    's8-large-fixed': {
      about: 'S8 with three CPUs, R2, R4 and R5',
      params: { workload: 'three', kernel: 'R2+R4+R5' },
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
    m.atRest('nothing stale is cached', () => noStaleTranslation(space))
    m.atRest('every lock is free', () => kernel.state.isFree && kernel.pages.every(({ word }) => word.owner === null))
    m.sometimes('the address space is locked', () => !kernel.state.isFree)
    if (tasks.length > 1)
      m.sometimes('somebody waits for another CPU', () => cpus.some((cpu) => kernel.shootdown.isAsked(cpu)))
  },
})
