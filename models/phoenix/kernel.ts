// Phoenix-RTOS: what the virtual memory of all processes is made of (vm/map.h, vm/amap.h).
import {
  type Instance,
  type Machine,
  type Operation,
  type Pool,
  type Program,
  type StructType,
  atomically,
  bool,
  oneOf,
  range,
  ref,
  struct,
  u,
} from 'vmcheck'
import { AddressSpace, FailureBudget, type Frame, FrameStore, FrameStruct, HandoffLock } from 'vmcheck/vm'

/** The five repairs of May 2026, one of April 2023, and those proposed here. */
export interface Fixes {
  /** 401a5d95: a failed mmap unmaps what it mapped, not what its entry covers. */
  readonly mmapFix: boolean
  /** 4c1f9184: a failed fork destroys the child's map; the source's pages are not write-protected meanwhile. */
  readonly copyFix: boolean
  /** fe19ab6e: a failure is told apart from "no page here". */
  readonly errFix: boolean
  /** 7c60f695: references are dropped after what replaces them is there. */
  readonly refsFix: boolean
  /** bd1bdaca: a page that cannot be mapped is not put, since its slot keeps it. */
  readonly putFix: boolean
  /** Proposed: a fresh page that cannot be filled is freed. */
  readonly leakFix: boolean
  /** Proposed: a new anon is allocated before the old one is given up. */
  readonly anonFix: boolean
  /** Proposed: mprotect returns the first failure, not what became of the last page. */
  readonly protectFix: boolean
  /** Proposed: what a rollback may need is reserved before anything is merged. */
  readonly reserveFix: boolean
  /** fbab3468 (2023): a failed copy gives the anon's lock back. */
  readonly lockFix: boolean
}

/** The kernel before May 2026. */
export const BEFORE: Fixes = {
  mmapFix: false,
  copyFix: false,
  errFix: false,
  refsFix: false,
  putFix: false,
  leakFix: false,
  anonFix: false,
  protectFix: false,
  reserveFix: false,
  lockFix: true,
}

/** The kernel as it is. */
export const AFTER: Fixes = { ...BEFORE, mmapFix: true, copyFix: true, errFix: true, refsFix: true, putFix: true }

/** Names of the fixes, for a parameter that leaves one of them out. */
export const FIXES = [
  'mmapFix',
  'copyFix',
  'errFix',
  'refsFix',
  'putFix',
  'leakFix',
  'anonFix',
  'protectFix',
  'reserveFix',
  'lockFix',
] as const satisfies readonly (keyof Fixes)[]

/** A kernel with one of its fixes left out, or as it is. */
export function without(fixes: Fixes, fix: (typeof FIXES)[number] | 'nothing'): Fixes {
  return fix === 'nothing' ? fixes : { ...fixes, [fix]: false }
}

/** anon_t: a page and how many entries cover its slot. */
export interface Anon {
  refs: number
  page: Instance<Frame> | null
}

/** amap_t: how many entries use it; its slots are apart. */
export interface Amap {
  refs: number
}

interface Slot {
  anon: Instance<Anon> | null
}

/** map_entry_t */
export interface Entry {
  next: Instance<Entry> | null
  vaddr: number
  size: number
  prot: 'r' | 'rw'
  protOrig: 'r' | 'rw'
  needsCopy: boolean
  /** Anonymous memory, physical memory that the kernel manages, or physical memory outside of it. */
  object: 'anonymous' | 'physmem' | 'device memory'
  amap: Instance<Amap> | null
  aoffs: number
  /** The page of a PHYSMEM entry. */
  physical: Instance<Frame> | null
}

/** The head of a map's list of entries. */
interface MapHead {
  first: Instance<Entry> | null
}

export const AnonStruct = struct<Anon>('anon', { refs: range(0, 7), page: ref(FrameStruct) })
export const AmapStruct = struct<Amap>('amap', { refs: range(0, 7) })
const SlotStruct = struct<Slot>('slot', { anon: ref(AnonStruct) })
const PAGE = u(4)
export const EntryStruct: StructType<Entry> = struct<Entry>('entry', {
  next: ref<Instance<Entry>>(() => EntryStruct),
  vaddr: PAGE,
  size: PAGE,
  prot: oneOf('r', 'rw'),
  protOrig: oneOf('r', 'rw'),
  needsCopy: bool,
  object: oneOf('anonymous', 'physmem', 'device memory'),
  amap: ref(AmapStruct),
  aoffs: PAGE,
  physical: ref(FrameStruct),
})
const HeadStruct = struct<MapHead>('vm_map', { first: ref(EntryStruct) })

/** Slots of every amap: enough that neighbours can grow into it. */
export const AMAP_SLOTS = 8

/** vm_map_t: entries in order of addresses, and page tables. */
export interface VmMap {
  readonly name: string
  readonly start: number
  readonly stop: number
  readonly head: Instance<MapHead>
  readonly pmap: AddressSpace
  readonly lock: HandoffLock
}

/** How much there is of everything. */
export interface Sizes {
  readonly threads: number
  readonly frames: number
  readonly anons: number
  readonly amaps: number
  readonly entries: number
  /** Names of the processes. */
  readonly maps: readonly string[]
  /** Pages of each map: [1, stop). */
  readonly stop: number
}

/** The machine that the kernel functions of this folder work on. */
export interface Kernel extends Fixes {
  readonly m: Machine
  readonly budget: FailureBudget
  readonly frames: FrameStore
  readonly anons: Pool<Anon>
  readonly amaps: Pool<Amap>
  /** By amap, then slot. */
  readonly slots: readonly (readonly Instance<Slot>[])[]
  readonly anonLocks: readonly HandoffLock[]
  readonly amapLocks: readonly HandoffLock[]
  readonly entries: Pool<Entry>
  readonly maps: readonly VmMap[]
  /** Whether mapping a page into kmap needs a map entry; neighbouring windows merge otherwise. */
  readonly windowsAllocate: boolean
}

/** Makes the kernel's memory, all of it free. */
export function makeKernel(
  m: Machine,
  sizes: Sizes,
  fixes: Fixes,
  budget: FailureBudget,
  options: { readonly windowsAllocate?: boolean } = {},
): Kernel {
  const frames = new FrameStore(m, { frames: sizes.frames })
  const locks = (count: number, name: string): HandoffLock[] =>
    Array.from({ length: count }, (_, i) => new HandoffLock(m, `${name}[${i}].lock`, sizes.threads))
  const anons = m.pool(AnonStruct, sizes.anons, 'anon')
  const amaps = m.pool(AmapStruct, sizes.amaps, 'amap')
  return {
    m,
    ...fixes,
    budget,
    frames,
    anons,
    amaps,
    slots: Array.from({ length: sizes.amaps }, (_, i) => m.array(SlotStruct, AMAP_SLOTS, `amap[${i}].slot`)),
    anonLocks: locks(sizes.anons, 'anon'),
    amapLocks: locks(sizes.amaps, 'amap'),
    entries: m.pool(EntryStruct, sizes.entries, 'entry', { reuse: 'lifo' }),
    maps: sizes.maps.map((name) => ({
      name,
      start: 1,
      stop: sizes.stop,
      head: m.struct(HeadStruct, name),
      pmap: new AddressSpace(m, `pmap of ${name}`, { pages: sizes.stop, frames }),
      lock: new HandoffLock(m, `${name}.lock`, sizes.threads),
    })),
    windowsAllocate: options.windowsAllocate ?? true,
  }
}

/** One of the allocators is asked for something; it fails when the budget says so or nothing is left. */
export function allocate<T>({ budget }: Kernel, what: string, take: () => T | null): Operation<T | null> {
  return atomically(() => (budget.strikes(what) ? null : take()))
}

/** vm_pageAlloc */
export function pageAlloc(kernel: Kernel): Operation<Instance<Frame> | null> {
  return allocate(kernel, 'a page', () => kernel.frames.allocate())
}

/** vm_pageFree */
export function pageFree({ frames }: Kernel, page: Instance<Frame>): Operation<unknown> {
  return atomically(() => frames.release(page))
}

/** vm_mmap of a page into kmap, for the kernel to look at it; whether it worked. */
export function* openWindow(kernel: Kernel): Program<boolean> {
  if (!kernel.windowsAllocate) return true
  return (yield* allocate(kernel, 'a kmap window', () => true)) !== null
}

/** The lock of an amap. */
export function lockOfAmap({ amaps, amapLocks }: Kernel, amap: Instance<Amap>): HandoffLock {
  return amapLocks[amaps.instances.indexOf(amap)] as HandoffLock
}

/** The lock of an anon. */
export function lockOfAnon({ anons, anonLocks }: Kernel, anon: Instance<Anon>): HandoffLock {
  return anonLocks[anons.instances.indexOf(anon)] as HandoffLock
}

/** The slot of an amap. */
export function slotOf({ amaps, slots }: Kernel, amap: Instance<Amap>, index: number): Instance<Slot> {
  const slot = slots[amaps.instances.indexOf(amap)]?.[index]
  if (!slot) throw new RangeError(`${amap.name} has no slot ${index}`)
  return slot
}

/** The entries of a map in order of addresses. */
export function entriesOf({ head }: VmMap): Instance<Entry>[] {
  const found: Instance<Entry>[] = []
  for (let entry = head.first; entry; entry = entry.next) found.push(entry)
  return found
}
