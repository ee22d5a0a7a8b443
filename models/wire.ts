// GNU Mach, April 2024: two threads that wire and unwire adjacent kernel memory hang.
//
// vm_map_pageable drops the lock of a kernel map while it faults pages in, and meanwhile walks the entry list.
// Claim 1 (deadlock, leak): a walk that ends at a pointer runs on into an entry that another thread has inserted and
//   wired. It makes that thread's page busy and needs the map lock, while the other thread holds the map lock and needs
//   the page.
// Claim 2 (merge-*): even when the walk is bounded by address, its entry may be merged with the neighbour's while the
//   map is unlocked, and the same cycle closes. Marking the entries as in transition prevents that.
// Claim 3 (*-walk-after-free): the walk still reads the entry after its range, which may be freed by then. A strict walk
//   stops before it.
//
// Source: GNU Mach head 40166870; commits 7b87e10b (patch 1), 6e5e1f09 (patch 2), 1a4ce715 (patch 3).
// Counts of states belong to this model's granularity: one step a section under a lock, one a read without it.
import { type Program, choice, model } from 'vmcheck'
import { HEAD, type Kernel, type Switches } from './gnumach/kernel.ts'
import { type Setting, properties, setUp } from './gnumach/machine.ts'
import { vmMapPageable, vmMapUnwire } from './gnumach/vm-map-pageable.ts'
import { vmMapEnter, vmMapEnterAnywhere, vmMapInherit, vmMapRemove } from './gnumach/vm-map.ts'

/** The kernels that scenarios name. */
const KERNELS: Readonly<
  Record<'original' | 'patch-1' | 'head' | 'fixed', Pick<Switches, 'walk' | 'inhibit' | 'mark'>>
> = {
  original: { walk: 'ptr', inhibit: false, mark: false },
  'patch-1': { walk: 'addr', inhibit: false, mark: false },
  head: { walk: 'addr', inhibit: true, mark: true },
  fixed: { walk: 'strict', inhibit: true, mark: true },
}

interface Workload extends Omit<Setting, 'name'> {
  readonly threads: number
  readonly program: (kernel: Kernel, thread: number) => () => Program
}

/** One thread wires page 0, another enters, wires and unwires page 1 (and with `free` deletes it). */
function overrun(free: boolean): Workload {
  return {
    threads: 2,
    entries: 3,
    objects: 2,
    pages: 2,
    initial: [{ start: 0, end: 1 }],
    program: (kernel, thread) =>
      thread === 0
        ? function* wirer() {
            yield* vmMapPageable(kernel, 0, 1)
          }
        : function* neighbour() {
            yield* vmMapEnter(kernel, 1, 2)
            yield* vmMapPageable(kernel, 1, 2)
            yield* vmMapUnwire(kernel, 1, 2)
            if (free) yield* vmMapRemove(kernel, 1, 2)
          },
  }
}

/** Two threads wire the halves of one entry; one of them also has its half merged back. */
const merge: Workload = {
  threads: 2,
  entries: 3,
  objects: 1,
  pages: 2,
  initial: [{ start: 0, end: 2, sharedObject: true }],
  program: (kernel, thread) =>
    thread === 0
      ? function* wirer() {
          yield* vmMapPageable(kernel, 0, 1)
        }
      : function* merger() {
          yield* vmMapPageable(kernel, 1, 2)
          yield* vmMapInherit(kernel, 1, 2)
          yield* vmMapUnwire(kernel, 1, 2)
        },
}

/** mach_port_names and mach_port_get_set_status: buffers in kernel memory, wired while the port space is locked. */
function names(threads: number, buffers: number): Workload {
  return {
    threads,
    entries: threads * buffers,
    objects: threads * buffers,
    pages: threads * buffers,
    initial: [],
    program: (kernel) =>
      function* machPortNames() {
        const first = yield* vmMapEnterAnywhere(kernel, 1)
        const second = buffers > 1 ? yield* vmMapEnterAnywhere(kernel, 1) : first
        yield* vmMapPageable(kernel, first, first + 1)
        if (buffers > 1) yield* vmMapPageable(kernel, second, second + 1)
        yield* vmMapUnwire(kernel, first, first + 1)
        if (buffers > 1) yield* vmMapUnwire(kernel, second, second + 1)
        yield* vmMapRemove(kernel, first, first + 1)
        if (buffers > 1) yield* vmMapRemove(kernel, second, second + 1)
      },
  }
}

const WORKLOADS = {
  overrun: overrun(false),
  'overrun-free': overrun(true),
  merge,
  'names-1': names(2, 1),
  names: names(2, 2),
  'names-three': names(3, 1),
} as const

export default model({
  title: 'GNU Mach: wiring kernel memory while its neighbours come, go and coalesce',
  params: {
    workload: choice('overrun', 'overrun-free', 'merge', 'names-1', 'names', 'names-three'),
    kernel: choice('original', 'patch-1', 'head', 'fixed'),
    walk: choice('as-kernel', 'ptr', 'addr', 'strict'),
    inhibit: choice('as-kernel', 'on', 'off'),
    mark: choice('as-kernel', 'on', 'off'),
    fast: choice('on', 'off', 'nondet'),
  },
  scenarios: {
    deadlock: {
      about: 'the walk over the range runs on into the neighbour’s entry',
      checks: ['stuck'],
      expect: { verdict: 'deadlock', states: 2_006 },
    },
    fixed: {
      about: 'all patches and a strict walk',
      params: { kernel: 'fixed' },
      expect: { verdict: 'pass', states: 1_305 },
    },
    'patch-1': {
      about: 'the walk is bounded by address',
      params: { kernel: 'patch-1' },
      expect: { verdict: 'pass', states: 1_628 },
    },
    head: { about: 'the kernel as it is now', params: { kernel: 'head' }, expect: { verdict: 'pass', states: 1_628 } },
    'without-patch-1': {
      about: 'marking entries alone does not stop the walk',
      params: { inhibit: 'on', mark: 'on' },
      checks: ['stuck'],
      expect: { verdict: 'deadlock', states: 2_006 },
    },
    leak: {
      about: 'the walk wires the neighbour’s page, and the wiring stays',
      checks: ['at-rest'],
      expect: { verdict: 'at-rest', property: 'no page keeps a wiring that no entry has', states: 2_022 },
    },
    'unwired-twice': {
      about: 'the wiring fault turns into an unwiring',
      checks: ['assertion'],
      expect: { verdict: 'assertion', property: 'a page that is unwired was wired', states: 2_022 },
    },
    'walk-after-free': {
      about: 'with a free afterwards: the walk reads a freed entry',
      params: { workload: 'overrun-free' },
      checks: ['use-after-free'],
      expect: { verdict: 'use-after-free', states: 2_291 },
    },
    'merge-deadlock': {
      about: 'the wiring thread’s entry is merged with the neighbour’s',
      params: { workload: 'merge', kernel: 'patch-1', fast: 'nondet' },
      checks: ['stuck'],
      expect: { verdict: 'deadlock', states: 1_763 },
    },
    'merge-unwired': {
      about: 'the same merge: success is reported for a page that is not wired',
      params: { workload: 'merge', kernel: 'patch-1' },
      checks: ['assertion'],
      expect: { verdict: 'assertion', property: 'a wired range is resident and wired', states: 952 },
    },
    'merge-leak': {
      about: 'the same merge: a page keeps a wiring',
      params: { workload: 'merge', kernel: 'patch-1', fast: 'nondet' },
      checks: ['at-rest'],
      expect: { verdict: 'at-rest', property: 'no page keeps a wiring that no entry has', states: 1_420 },
    },
    'merge-fixed': {
      about: 'entries marked as in transition are not merged',
      params: { workload: 'merge', kernel: 'head', fast: 'nondet' },
      expect: { verdict: 'pass', states: 1_282 },
    },
    'merge-strict-unmarked': {
      about: 'a strict walk alone does not prevent the merge',
      params: { workload: 'merge', kernel: 'fixed', mark: 'off', fast: 'nondet' },
      checks: ['stuck'],
      expect: { verdict: 'deadlock', states: 1_701 },
    },
    'names-deadlock': {
      about: 'mach_port_names, one buffer each',
      params: { workload: 'names-1' },
      checks: ['stuck'],
      expect: { verdict: 'deadlock', states: 2_935 },
    },
    'names-walk-after-free': {
      about: 'mach_port_names: the kernel as it is now still reads a freed successor',
      params: { workload: 'names-1', kernel: 'head' },
      expect: { verdict: 'use-after-free', states: 2_433 },
    },
    'names-fixed': {
      about: 'mach_port_names, one buffer each, strict walk',
      params: { workload: 'names-1', kernel: 'fixed' },
      expect: { verdict: 'pass', states: 2_228 },
    },
    names: {
      about: 'mach_port_names, two buffers each, strict walk',
      params: { workload: 'names', kernel: 'fixed' },
      expect: { verdict: 'pass', states: 48_600 },
    },
    'names-three': {
      about: 'mach_port_names on three CPUs, one buffer each, strict walk',
      params: { workload: 'names-three', kernel: 'fixed' },
      expect: { verdict: 'pass', states: 191_768 },
    },
  },
  machine(m, params) {
    const workload = WORKLOADS[params.workload]
    const preset = KERNELS[params.kernel]
    const kernel: Kernel = {
      m,
      ...HEAD,
      ...setUp(m, { name: 'ipc_kernel_map', ...workload }),
      walk: params.walk === 'as-kernel' ? preset.walk : params.walk,
      inhibit: params.inhibit === 'as-kernel' ? preset.inhibit : params.inhibit === 'on',
      mark: params.mark === 'as-kernel' ? preset.mark : params.mark === 'on',
      fast: params.fast,
    }
    let thread = 0
    m.cpus(workload.threads, () => workload.program(kernel, thread++))

    properties(m, kernel)
    m.sometimes(
      'two threads are in the window at once',
      () => kernel.windows.all.filter(({ inside }) => inside).length > 1,
    )
  },
})
