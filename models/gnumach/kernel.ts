import type { Instance, Machine } from 'vmcheck'
import type { KernelMap, MapEntry, PageStore } from 'vmcheck/vm'

/** How far the wiring walk trusts the list it follows without the lock. */
export type Walk = 'ptr' | 'addr' | 'strict'

/** Which of the fixes of spring 2024 the kernel has, and what its fast path does. */
export interface Switches {
  /** The walk ends at the saved end entry (`ptr`, before patch 1), by address (`addr`, patch 1), or before it follows a link that leads out of the range (`strict`). */
  readonly walk: Walk
  /** Entries in transition are not extended (patch 2). */
  readonly inhibit: boolean
  /** The wiring thread marks its entries as in transition while the map is unlocked (patch 3). */
  readonly mark: boolean
  /** Whether vm_fault_wire_fast succeeds where it can, never, or as the search chooses (a copy object makes it give up). */
  readonly fast: 'on' | 'off' | 'nondet'
}

/** What the kernel functions of this folder work on. */
export interface Kernel extends Switches {
  readonly m: Machine
  readonly map: KernelMap
  readonly store: PageStore
  /** Per thread: in the window of vm_map_pageable in which the map is unlocked (for properties only). */
  readonly windows: readonly Instance<{ inside: boolean }>[]
}

/** An entry of the map. */
export type Entry = Instance<MapEntry>
