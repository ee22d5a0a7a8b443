// GNU Mach: entries in transition, and who is woken when they no longer are.
//
// Claim 1 (S4): the wiring path marks its entries as in transition, and a deletion that meets one sets needs_wakeup
//   and sleeps. The wiring path asserts that no one does; without assertions the sleeper is never woken.
// Claim 2 (S10): copyout of a page list marks the whole entry that it extended, but begins to clear at its own start:
//   the front part, cut off meanwhile by a deletion that sleeps on it, stays marked and its sleeper asleep.
// Claim 3 (still there): what the kernel sends to a pager is in an object of its own, which is never extended, so that
//   unmapping it ends it. Copyout has its own test and extends such an object: it lives on when the pager is done.
//
// Source: GNU Mach head 40166870, vm_map_pageable, vm_map_delete, vm_map_copyout_page_list, vm_object_coalesce; found by reading. In a
// kernel map only the owner of a range frees it, so that claim 1 needs a caller outside that contract.
import { type Program, choice, model } from 'vmcheck'
import { HEAD, type Kernel } from './gnumach/kernel.ts'
import { type InitialEntry, nothingInTransition, properties, setUp } from './gnumach/machine.ts'
import { vmMapPageable } from './gnumach/vm-map-pageable.ts'
import { vmMapCopyoutPageList, vmMapEnter, vmMapRemove } from './gnumach/vm-map.ts'

interface Workload {
  readonly entries: number
  readonly pages: number
  readonly initial: readonly InitialEntry[]
  readonly programs: readonly ((kernel: Kernel) => () => Program)[]
}

const wire = (start: number, end: number) => (kernel: Kernel) =>
  function* wirer() {
    yield* vmMapPageable(kernel, start, end)
  }

const free =
  (...ranges: readonly (readonly [start: number, end: number])[]) =>
  (kernel: Kernel) =>
    function* deleter() {
      for (const [start, end] of ranges) yield* vmMapRemove(kernel, start, end)
    }

const copyout = (start: number, end: number) => (kernel: Kernel) =>
  function* receiver() {
    yield* vmMapCopyoutPageList(kernel, start, end)
  }

const enter = (start: number, end: number) => (kernel: Kernel) =>
  function* allocator() {
    yield* vmMapEnter(kernel, start, end)
  }

const WORKLOADS = {
  wire: { entries: 2, pages: 1, initial: [{ start: 0, end: 1 }], programs: [wire(0, 1), free([0, 1])] },
  'wire-alone': { entries: 2, pages: 1, initial: [{ start: 0, end: 1 }], programs: [wire(0, 1)] },
  'wire-many': {
    entries: 4,
    pages: 3,
    initial: [
      { start: 0, end: 1, inheritance: 1 },
      { start: 1, end: 2 },
      { start: 2, end: 3, inheritance: 1 },
    ],
    programs: [wire(0, 2), wire(2, 3), free([0, 1]), free([1, 2])],
  },
  'wire-two': {
    entries: 2,
    pages: 1,
    initial: [{ start: 0, end: 1 }],
    programs: [wire(0, 1), free([0, 1]), free([0, 1])],
  },
  copyout: { entries: 4, pages: 2, initial: [{ start: 0, end: 1 }], programs: [copyout(1, 2), free([0, 1])] },
  'copyout-twice': {
    entries: 4,
    pages: 2,
    initial: [{ start: 0, end: 1 }],
    programs: [copyout(1, 2), free([1, 2], [0, 1])],
  },
  'copyout-apart': {
    entries: 4,
    pages: 2,
    initial: [{ start: 0, end: 1, inheritance: 1 }],
    programs: [copyout(1, 2), free([0, 1])],
  },
  'copyout-many': {
    entries: 6,
    pages: 4,
    initial: [{ start: 0, end: 1 }],
    programs: [
      (kernel: Kernel) =>
        function* receiver() {
          for (const start of [1, 2, 3]) yield* vmMapCopyoutPageList(kernel, start, start + 1)
        },
      free([0, 1]),
      free([1, 2]),
    ],
  },
  'pageout-copyout': {
    entries: 4,
    pages: 2,
    initial: [{ start: 0, end: 1, pageout: true }],
    programs: [copyout(1, 2), free([0, 1])],
  },
  'pageout-enter': {
    entries: 4,
    pages: 2,
    initial: [{ start: 0, end: 1, pageout: true }],
    programs: [enter(1, 2), free([0, 1])],
  },
} as const satisfies Record<string, Workload>

export default model({
  title: 'GNU Mach: entries in transition and their sleepers',
  params: {
    workload: choice(
      'wire',
      'wire-alone',
      'wire-many',
      'wire-two',
      'copyout',
      'copyout-twice',
      'copyout-apart',
      'copyout-many',
      'pageout-copyout',
      'pageout-enter',
    ),
    clear: choice('assert', 'ignore', 'wake'),
    waitTransit: choice('off', 'on'),
    copyoutClear: choice('start', 'entry-start'),
    copyoutExtends: choice('private', 'coalesce'),
    deleteCheck: choice('after-clip', 'before-clip'),
  },
  scenarios: {
    's4-assert': {
      about: 'S4: the assertion at the clearing fails',
      expect: { verdict: 'assertion', property: 'nobody waits for an entry in transition', states: 97 },
    },
    's4-ignore': {
      about: 'S4 without assertions: the deletion sleeps for ever',
      params: { clear: 'ignore' },
      expect: { verdict: 'lost-wakeup', states: 100 },
    },
    's4-wake': {
      about: 'S4 fixed: clearing wakes',
      params: { clear: 'wake' },
      expect: { verdict: 'pass', states: 105 },
    },
    's4-alone': {
      about: 'S4 without the deletion',
      params: { workload: 'wire-alone' },
      expect: { verdict: 'pass', states: 21 },
    },
    's4-many': {
      about: 'S4 with two wirers and two deleters, fixed: one event for all',
      params: { workload: 'wire-many', clear: 'wake' },
      expect: { verdict: 'pass', states: 23_507 },
      large: true,
    },
    s10: {
      about: 'S10: the sleeper on the front part is never woken',
      params: { workload: 'copyout' },
      expect: { verdict: 'lost-wakeup', states: 36 },
    },
    's10-entry-start': {
      about: 'S10 fixed: clearing begins where marking did',
      params: { workload: 'copyout', copyoutClear: 'entry-start' },
      expect: { verdict: 'pass', states: 44 },
    },
    's10-before-clip': {
      about: 'S10 fixed: the deletion waits before it cuts',
      params: { workload: 'copyout', deleteCheck: 'before-clip' },
      expect: { verdict: 'pass', states: 43 },
    },
    's10-twice': {
      about: 'S10: a second deletion hangs on the front part',
      params: { workload: 'copyout-twice' },
      expect: { verdict: 'lost-wakeup', states: 70 },
    },
    's10-twice-entry-start': {
      about: 'S10, two deletions, fixed',
      params: { workload: 'copyout-twice', copyoutClear: 'entry-start' },
      expect: { verdict: 'pass', states: 81 },
    },
    's10-apart': {
      about: 'S10 control: no neighbour to extend',
      params: { workload: 'copyout-apart' },
      expect: { verdict: 'pass', states: 40 },
    },
    's10-many': {
      about: 'S10 with three copyouts and two deleters',
      params: { workload: 'copyout-many' },
      expect: { verdict: 'lost-wakeup', states: 1_206 },
      large: true,
    },
    's10-many-before-clip': {
      about: 'S10 with three copyouts and two deleters, which wait before they cut',
      params: { workload: 'copyout-many', deleteCheck: 'before-clip' },
      expect: { verdict: 'pass', states: 1_096 },
      large: true,
    },
    's4-two': {
      about: 'S4 with two deleters of one entry, fixed: each looks it up again',
      params: { workload: 'wire-two', clear: 'wake' },
      expect: { verdict: 'pass', states: 386 },
    },
    pageout: {
      about: 'copyout extends an object that was sent to a pager',
      params: { workload: 'pageout-copyout', copyoutClear: 'entry-start' },
      expect: { verdict: 'at-rest', property: 'what a pager has unmapped is gone', states: 41 },
    },
    'pageout-coalesce': {
      about: 'the same, with the test that every other extension makes',
      params: { workload: 'pageout-copyout', copyoutClear: 'entry-start', copyoutExtends: 'coalesce' },
      expect: { verdict: 'pass', states: 40 },
    },
    'pageout-enter': {
      about: 'control: vm_map_enter does not extend such an object',
      params: { workload: 'pageout-enter' },
      expect: { verdict: 'pass', states: 22 },
    },
    's10-many-fixed': {
      about: 'S10 with three copyouts and two deleters, fixed',
      params: { workload: 'copyout-many', copyoutClear: 'entry-start' },
      expect: { verdict: 'pass', states: 2_590 },
      large: true,
    },
  },
  machine(m, { workload, clear, waitTransit, copyoutClear, copyoutExtends, deleteCheck }) {
    const { entries, pages, initial, programs } = WORKLOADS[workload]
    const kernel: Kernel = {
      m,
      ...HEAD,
      ...setUp(m, { name: 'map', entries, objects: entries, pages, initial }),
      clear,
      waitTransit: waitTransit === 'on',
      copyoutClear,
      copyoutExtends,
      deleteCheck,
    }
    for (const program of programs) m.thread(program(kernel))
    properties(m, kernel)
    if (workload.startsWith('pageout'))
      m.atRest(
        'what a pager has unmapped is gone',
        () =>
          !kernel.store.objects.instances.some(
            (object) => kernel.store.objects.isAllocated(object) && object.usedForPageout,
          ) || 'the object that was sent to the pager is still there',
      )
    m.atRest('nothing stays in transition', () => nothingInTransition(kernel))
    if (workload === 'pageout-enter')
      m.sometimes('both ranges are mapped', () => kernel.map.lookup(0) !== null && kernel.map.lookup(1) !== null)
    else m.sometimes('an entry is in transition', () => kernel.windows.all.some(({ inside }) => inside))
    if (workload === 'wire' || (workload.startsWith('copyout') && workload !== 'copyout-apart'))
      m.sometimes('somebody sleeps on an entry in transition', () => !kernel.map.inTransitionEvent.isEmpty)
  },
})
