import { type Instance, type Machine, type PerActor, bool, struct } from 'vmcheck'
import type { KernelMap, MapEntry, PageSlot, PageStore } from 'vmcheck/vm'

/** How far the wiring walk trusts the list it follows without the lock. */
export type Walk = 'ptr' | 'addr' | 'strict'

/** Which of the fixes of spring 2024 and of those proposed here the kernel has, and what its fast path does. */
export interface Switches {
  /** The walk ends at the saved end entry (`ptr`, before patch 1), by address (`addr`, patch 1), or before it follows a link that leads out of the range (`strict`). */
  readonly walk: Walk
  /** Entries in transition are not extended (patch 2). */
  readonly inhibit: boolean
  /** The wiring thread marks its entries as in transition while the map is unlocked (patch 3). */
  readonly mark: boolean
  /** Whether vm_fault_wire_fast succeeds where it can, never, or as the search chooses (a copy object makes it give up). */
  readonly fast: 'on' | 'off' | 'nondet'
  /** A user's map stays locked for reading while its pages are wired. */
  readonly space: 'kernel' | 'user'
  /** How a user's map is wired: read lock kept without recursion, with it (the kernel), or unlocked and marked like a kernel map. */
  readonly userWire: 'plain' | 'recursive' | 'transit'
  /** What clearing does when a thread waits: panic (the kernel with assertions), nothing (without), or wake. */
  readonly clear: 'assert' | 'ignore' | 'wake'
  /** Wiring and unwiring wait until no entry of their range is in transition. */
  readonly waitTransit: boolean
  /** Whether a deletion looks for entries in transition after it has cut them (the kernel) or before. */
  readonly deleteCheck: 'after-clip' | 'before-clip'
  /** Where copyout begins to clear: at its own start (the kernel), or at that of the entry it extended. */
  readonly copyoutClear: 'start' | 'entry-start'
  /** What copyout asks of the object of an entry that it extends: to be that entry's alone (the kernel), or what every other extension asks. */
  readonly copyoutExtends: 'private' | 'coalesce'
  /** Whether unwiring waits for pages under the write lock (the kernel), or with its entries marked and the map unlocked. */
  readonly unwire: 'locked' | 'transit'
  /** Parts of `transit`, each of which can be left out: the entry is marked meanwhile, and clearing wakes the threads that wait for it. */
  readonly unwireMarks: boolean
  readonly unwireWakes: boolean
}

/** The kernel as it is. */
export const HEAD: Switches = {
  walk: 'addr',
  inhibit: true,
  mark: true,
  fast: 'on',
  space: 'kernel',
  userWire: 'recursive',
  clear: 'assert',
  waitTransit: false,
  deleteCheck: 'after-clip',
  copyoutClear: 'start',
  copyoutExtends: 'private',
  unwire: 'locked',
  unwireMarks: true,
  unwireWakes: true,
}

/** What the kernel functions of this folder work on. */
export interface Kernel extends Switches {
  readonly m: Machine
  readonly map: KernelMap
  readonly store: PageStore
  /** Per thread: in the window of vm_map_pageable in which the map is unlocked (for properties only). */
  readonly windows: PerActor<{ inside: boolean }>
  /** Brings missing pages in; without one, the fault does it itself. */
  readonly pager?: Pager
}

/** An entry of the map. */
export type Entry = Instance<MapEntry>

/** Per thread: see {@link Kernel.windows}. */
export const Window = struct<{ inside: boolean }>('window', { inside: bool })

/** The default pager as a fault sees it. */
export interface Pager {
  /** Inside an effect: asks for a page, which is busy until it is there. */
  request(slot: PageSlot): void
}
