// GNU Mach: entries in transition, and who wakes the threads that sleep on them.
//
// Claim 1 (delete-*): the wiring path marks its entries as in transition. A deletion that meets such an entry sets
//   needs_wakeup and sleeps. The wiring path asserts that no thread does; without assertions it never wakes the
//   sleeper.
// Claim 2 (copyout-*): copyout of a page list marks the whole entry that it extended, but clears from its own start. A
//   deletion that sleeps on the entry has clipped the front part off: that part stays marked, and the deletion asleep.
// Claim 3 (pageout-*, still there): what the kernel sends to a pager is in an object of its own. No extension may touch
//   it, so that unmapping ends it. Copyout has its own test and extends such an object, which then outlives the pager's
//   work.
//
// Source: GNU Mach head 40166870, vm_map_pageable, vm_map_delete, vm_map_copyout_page_list, vm_object_coalesce; found
// by reading. In a kernel map only the owner of a range frees it, so that claim 1 needs a caller outside that contract.
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
    'delete-assert': {
      formerly: 's4-assert',
      about: 'a deletion waits for an entry in transition, and the assertion of the wiring path fails',
      expect: { verdict: 'assertion', property: 'no thread waits for an entry in transition', states: 97 },
    },
    'delete-no-wakeup': {
      formerly: 's4-ignore',
      about: 'the same without assertions: the deletion sleeps for ever',
      params: { clear: 'ignore' },
      expect: { verdict: 'lost-wakeup', states: 100 },
    },
    'delete-wakeup': {
      formerly: 's4-wake',
      about: 'fixed: clearing the mark wakes the sleepers',
      params: { clear: 'wake' },
      expect: { verdict: 'pass', states: 105 },
    },
    'wire-alone': {
      formerly: 's4-alone',
      about: 'control: no deletion',
      params: { workload: 'wire-alone' },
      expect: { verdict: 'pass', states: 21 },
    },
    'delete-many-wakeup': {
      formerly: 's4-many',
      about: 'fixed, with two wirers and two deleters: one event for all',
      params: { workload: 'wire-many', clear: 'wake' },
      expect: { verdict: 'pass', states: 23_507 },
      large: true,
    },
    'copyout-front': {
      formerly: 's10',
      about: 'copyout clears from its own start: the deletion that sleeps on the front part is never woken',
      params: { workload: 'copyout' },
      expect: { verdict: 'lost-wakeup', states: 36 },
    },
    'copyout-front-clears-entry': {
      formerly: 's10-entry-start',
      about: 'fixed: clearing begins where marking did',
      params: { workload: 'copyout', copyoutClear: 'entry-start' },
      expect: { verdict: 'pass', states: 44 },
    },
    'copyout-front-waits-first': {
      formerly: 's10-before-clip',
      about: 'fixed: the deletion waits before it clips the entry',
      params: { workload: 'copyout', deleteCheck: 'before-clip' },
      expect: { verdict: 'pass', states: 43 },
    },
    'copyout-front-twice': {
      formerly: 's10-twice',
      about: 'a second deletion sleeps on the front part for ever',
      params: { workload: 'copyout-twice' },
      expect: { verdict: 'lost-wakeup', states: 70 },
    },
    'copyout-front-twice-clears-entry': {
      formerly: 's10-twice-entry-start',
      about: 'fixed, with two deletions',
      params: { workload: 'copyout-twice', copyoutClear: 'entry-start' },
      expect: { verdict: 'pass', states: 81 },
    },
    'copyout-no-neighbour': {
      formerly: 's10-apart',
      about: 'control: there is no neighbour to extend',
      params: { workload: 'copyout-apart' },
      expect: { verdict: 'pass', states: 40 },
    },
    'copyout-front-many': {
      formerly: 's10-many',
      about: 'three copyouts and two deleters',
      params: { workload: 'copyout-many' },
      expect: { verdict: 'lost-wakeup', states: 1_206 },
      large: true,
    },
    'copyout-front-many-waits-first': {
      formerly: 's10-many-before-clip',
      about: 'fixed, with three copyouts and two deleters: deletions wait before they clip',
      params: { workload: 'copyout-many', deleteCheck: 'before-clip' },
      expect: { verdict: 'pass', states: 1_096 },
      large: true,
    },
    'delete-twice-wakeup': {
      formerly: 's4-two',
      about: 'fixed, with two deleters of one entry: each looks the entry up again',
      params: { workload: 'wire-two', clear: 'wake' },
      expect: { verdict: 'pass', states: 386 },
    },
    pageout: {
      about: 'copyout extends an object that was sent to a pager',
      params: { workload: 'pageout-copyout', copyoutClear: 'entry-start' },
      expect: { verdict: 'at-rest', property: 'an object that its pager has unmapped is gone', states: 41 },
    },
    'pageout-coalesce': {
      about: 'fixed: copyout makes the test that every other extension makes',
      params: { workload: 'pageout-copyout', copyoutClear: 'entry-start', copyoutExtends: 'coalesce' },
      expect: { verdict: 'pass', states: 40 },
    },
    'pageout-enter': {
      about: 'control: vm_map_enter does not extend such an object',
      params: { workload: 'pageout-enter' },
      expect: { verdict: 'pass', states: 22 },
    },
    'copyout-front-many-clears-entry': {
      formerly: 's10-many-fixed',
      about: 'fixed, with three copyouts and two deleters: clearing begins where marking did',
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
        'an object that its pager has unmapped is gone',
        () =>
          !kernel.store.objects.instances.some(
            (object) => kernel.store.objects.isAllocated(object) && object.usedForPageout,
          ) || 'the object that was sent to the pager is still there',
      )
    m.atRest('no entry stays in transition', () => nothingInTransition(kernel))
    if (workload === 'pageout-enter')
      m.sometimes('both ranges are mapped', () => kernel.map.lookup(0) !== null && kernel.map.lookup(1) !== null)
    else m.sometimes('an entry is in transition', () => kernel.windows.all.some(({ inside }) => inside))
    if (workload === 'wire' || (workload.startsWith('copyout') && workload !== 'copyout-apart'))
      m.sometimes('a thread sleeps on an entry in transition', () => !kernel.map.inTransitionEvent.isEmpty)
  },
})
