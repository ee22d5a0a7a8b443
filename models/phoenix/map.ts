// Phoenix-RTOS vm/map.c: mapping and unmapping.
import { type Instance, type Operation, type Program, atomically } from 'vmcheck'
import { amapClear, amapCreate, amapPage, amapPut, amapPutanons, amapReference, vmObjectPage } from './amap.ts'
import { AMAP_SLOTS, type Entry, type Kernel, type VmMap, allocate, entriesOf } from './kernel.ts'

/** What a call returns. */
export type Code = 'ok' | 'ENOMEM'

/** map_alloc: an entry from the list that all maps share. */
export function mapAlloc(kernel: Kernel): Operation<Instance<Entry> | null> {
  return allocate(kernel, 'a map entry', () => kernel.entries.allocate())
}

/** map_free */
export function mapFree({ entries }: Kernel, entry: Instance<Entry>): Operation<void> {
  return atomically(() => entries.free(entry))
}

/** Puts an entry into a map, in order of addresses. */
export function insertEntry(map: VmMap, entry: Instance<Entry>): void {
  const previous = entriesOf(map).findLast(({ vaddr }) => vaddr < entry.vaddr) ?? null
  entry.next = previous ? previous.next : map.head.first
  if (previous) previous.next = entry
  else map.head.first = entry
}

function unlink(map: VmMap, entry: Instance<Entry>): void {
  const previous = entriesOf(map).find(({ next }) => next === entry)
  if (previous) previous.next = entry.next
  else map.head.first = entry.next
}

/** _entry_put: the entry leaves its map, and gives up its amap. */
export function* entryPut(kernel: Kernel, map: VmMap, entry: Instance<Entry>): Program {
  if (entry.amap) yield* amapPut(kernel, entry.amap)
  unlink(map, entry)
  yield* mapFree(kernel, entry)
}

/** vm_mmap of anonymous memory: the address, or null. Every page is there when it returns. */
export function* vmMmap(kernel: Kernel, map: VmMap, hint: number, size: number): Program<number | null> {
  yield* map.lock.acquire()
  const reserve = kernel.reserveFix ? yield* mapAlloc(kernel) : null
  const found = kernel.reserveFix && !reserve ? null : yield* mapMap(kernel, map, hint, size)
  if (found && (yield* forceAll(kernel, map, found, size, reserve)) === 'ENOMEM') {
    yield* map.lock.release()
    return null
  }
  if (reserve && !(found && isUsed(map, reserve))) yield* mapFree(kernel, reserve)
  yield* map.lock.release()
  return found?.vaddr ?? null
}

function isUsed(map: VmMap, entry: Instance<Entry>): boolean {
  return entriesOf(map).includes(entry)
}

/** The pages of a new mapping are brought in one by one; the mapping is taken back when one cannot be. */
function* forceAll(
  kernel: Kernel,
  map: VmMap,
  { entry, vaddr }: Mapped,
  size: number,
  reserve: Instance<Entry> | null,
): Program<Code> {
  for (let page = vaddr; page < vaddr + size; page++) {
    if ((yield* mapForce(kernel, map, entry, page, 'rw')) === 'ok') continue
    yield* rollbackMmap(kernel, map, { entry, vaddr }, page, size, reserve)
    return 'ENOMEM'
  }
  return 'ok'
}

/** The end of a vm_mmap that failed at `page`. */
function* rollbackMmap(
  kernel: Kernel,
  map: VmMap,
  { entry, vaddr }: Mapped,
  page: number,
  size: number,
  reserve: Instance<Entry> | null,
): Program {
  const { budget, mmapFix } = kernel
  yield* atomically(() => budget.beginRollback())
  if (mmapFix) {
    const rest = yield* vmMunmap(kernel, map, vaddr, size, reserve)
    if (rest.reserve) yield* mapFree(kernel, rest.reserve)
  } else {
    if (entry.amap) yield* amapPutanons(kernel, entry.amap, entry.aoffs, page - vaddr)
    yield* pmapRemove(map, vaddr, page + 1)
    yield* entryPut(kernel, map, entry)
  }
  yield* atomically(() => budget.endRollback())
}

/** A mapping made by _map_map. */
interface Mapped {
  readonly entry: Instance<Entry>
  readonly vaddr: number
}

/** The first address at or above the hint where so much is free, or null. */
function findFree(map: VmMap, hint: number, size: number): number | null {
  let at = Math.max(hint, map.start)
  for (const entry of entriesOf(map))
    if (entry.vaddr < at + size && entry.vaddr + entry.size > at) at = entry.vaddr + entry.size
  return at + size <= map.stop ? at : null
}

/** _map_map: finds room for anonymous memory and makes an entry cover it, a neighbour if one can. */
export function* mapMap(kernel: Kernel, map: VmMap, hint: number, size: number): Program<Mapped | null> {
  const vaddr = findFree(map, hint, size)
  if (vaddr === null) return null
  const previous = entriesOf(map).findLast((entry) => entry.vaddr < vaddr) ?? null
  const next = entriesOf(map).find((entry) => entry.vaddr > vaddr) ?? null
  const left = previous && isPlain(previous) && previous.vaddr + previous.size === vaddr ? previous : null
  const right = next && isPlain(next) && next.vaddr === vaddr + size ? next : null
  const extended = yield* extendNeighbour(kernel, map, left, right, size)
  const entry = extended ?? (yield* newEntry(kernel, map, previous, next, vaddr, size))
  if (!entry) return null
  if (entry.amap) yield* amapClear(kernel, entry.amap, entry.aoffs + vaddr - entry.vaddr, size)
  return { entry, vaddr }
}

/** Whether new anonymous memory agrees with an entry in object, flags and protection. */
function isPlain({ object, needsCopy, prot, protOrig }: Instance<Entry>): boolean {
  return object === 'anonymous' && !needsCopy && prot === 'rw' && protOrig === 'rw'
}

/** Both neighbours, the left or the right one grow over the new memory, if their amaps have slots for it. */
export function* extendNeighbour(
  kernel: Kernel,
  map: VmMap,
  previous: Instance<Entry> | null,
  next: Instance<Entry> | null,
  size: number,
): Program<Instance<Entry> | null> {
  const growsUp = previous !== null && (!previous.amap || previous.aoffs + previous.size + size <= AMAP_SLOTS)
  const growsDown = next !== null && (!next.amap || next.aoffs >= size)
  if (growsUp && growsDown && previous.amap === next.amap) {
    const dropped = next.size
    yield* entryPut(kernel, map, next)
    previous.size += size + dropped
    return previous
  }
  if (growsUp) {
    previous.size += size
    return previous
  }
  if (!growsDown) return null
  next.vaddr -= size
  next.size += size
  if (next.amap) next.aoffs -= size
  return next
}

/** A new entry of anonymous memory, with the amap of the entry behind it, or else of the one before it, where its slots reach so far. */
export function* newEntry(
  kernel: Kernel,
  map: VmMap,
  previous: Instance<Entry> | null,
  next: Instance<Entry> | null,
  vaddr: number,
  size: number,
): Program<Instance<Entry> | null> {
  const entry = yield* mapAlloc(kernel)
  if (!entry) return null
  Object.assign(entry, { vaddr, size, prot: 'rw', protOrig: 'rw', object: 'anonymous' } satisfies Partial<Entry>)
  if (next?.amap && next.aoffs >= next.vaddr - vaddr) {
    entry.amap = yield* amapReference(kernel, next.amap)
    entry.aoffs = next.aoffs - (next.vaddr - vaddr)
  } else if (previous?.amap && previous.aoffs + vaddr + size - previous.vaddr <= AMAP_SLOTS) {
    entry.amap = yield* amapReference(kernel, previous.amap)
    entry.aoffs = previous.aoffs + vaddr - previous.vaddr
  }
  insertEntry(map, entry)
  return entry
}

/** _vm_munmap: unmaps a range, cutting entries; ENOMEM, with nothing changed, when it lies inside one and there is no entry for the rest. */
export function* vmMunmap(
  kernel: Kernel,
  map: VmMap,
  vaddr: number,
  size: number,
  reserve: Instance<Entry> | null = null,
): Program<{ readonly code: Code; readonly reserve: Instance<Entry> | null }> {
  const end = vaddr + size
  let spare = reserve
  for (;;) {
    const entry = entriesOf(map).find((at) => at.vaddr < end && at.vaddr + at.size > vaddr)
    if (!entry) return { code: 'ok', reserve: spare }
    const from = Math.max(vaddr, entry.vaddr)
    const to = Math.min(end, entry.vaddr + entry.size)
    if (entry.vaddr < from && to < entry.vaddr + entry.size) {
      const tail: Instance<Entry> | null = spare ?? (yield* mapAlloc(kernel))
      if (!tail) return { code: 'ENOMEM', reserve: null }
      spare = null
      yield* splitEntry(kernel, map, entry, tail, to)
      continue
    }
    const { amap } = entry
    const slot = entry.aoffs + from - entry.vaddr
    const isWhole = from === entry.vaddr && to === entry.vaddr + entry.size
    if (!isWhole) shrink(entry, from, to)
    if (amap) yield* amapPutanons(kernel, amap, slot, to - from)
    yield* pmapRemove(map, from, to)
    if (isWhole) yield* entryPut(kernel, map, entry)
  }
}

/** The front or the back of an entry goes. */
function shrink(entry: Instance<Entry>, from: number, to: number): void {
  if (from === entry.vaddr) {
    entry.aoffs += to - from
    entry.vaddr = to
  }
  entry.size -= to - from
}

/** map_split: the part from `at` on becomes an entry of its own, with the same amap. */
export function* splitEntry(
  kernel: Kernel,
  map: VmMap,
  entry: Instance<Entry>,
  tail: Instance<Entry>,
  at: number,
): Program {
  const { prot, protOrig, needsCopy, object, amap, physical } = entry
  const front = at - entry.vaddr
  Object.assign(tail, {
    vaddr: at,
    size: entry.size - front,
    prot,
    protOrig,
    needsCopy,
    object,
    amap,
    physical,
    aoffs: entry.aoffs + front,
  } satisfies Partial<Entry>)
  entry.size = front
  if (amap) yield* amapReference(kernel, amap)
  insertEntry(map, tail)
}

/** pmap_remove of a range. */
export function pmapRemove({ pmap }: VmMap, from: number, to: number): Operation<void> {
  return atomically(() => {
    for (let page = from; page < to; page++) pmap.set(page, null)
  })
}

/** page_map: enters a page; ENOMEM when there is no page table for it yet and none can be had. */
export function* pageMap(
  kernel: Kernel,
  { pmap }: VmMap,
  page: number,
  frame: Parameters<VmMap['pmap']['set']>[1],
  writable: boolean,
): Program<Code> {
  const needsTable = yield* atomically(() => pmap.translation(page) === null)
  if (needsTable && (yield* allocate(kernel, 'a page table', () => true)) === null) return 'ENOMEM'
  yield* atomically(() => pmap.set(page, frame, writable))
  return 'ok'
}

/** _map_force: brings in the page at `vaddr` of an entry. */
export function* mapForce(
  kernel: Kernel,
  map: VmMap,
  entry: Instance<Entry>,
  vaddr: number,
  prot: 'r' | 'rw',
): Program<Code> {
  const { refsFix, errFix, putFix } = kernel
  if ((prot === 'rw' && entry.needsCopy) || (entry.object === 'anonymous' && !entry.amap)) {
    const amap = yield* amapCreate(kernel, entry)
    if (!amap) {
      if (!refsFix) entry.amap = null
      return 'ENOMEM'
    }
    entry.amap = amap
    entry.needsCopy = false
  }
  const slot = entry.aoffs + vaddr - entry.vaddr
  const { code, page } = entry.amap
    ? yield* amapPage(kernel, entry, entry.amap, slot, prot)
    : yield* vmObjectPage(kernel, entry)
  if (errFix && code !== 'ok') return code
  const isPhysical = entry.object !== 'anonymous'
  if (!page && !isPhysical) return 'ENOMEM'
  const mapped = yield* pageMap(kernel, map, vaddr, page ?? entry.physical, prot === 'rw')
  if (mapped !== 'ok' && !putFix && entry.amap) yield* amapPutanons(kernel, entry.amap, slot, 1)
  return mapped
}
