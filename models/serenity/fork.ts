// SerenityOS: fork of one region, the end of a child, and volatile memory.
import { type Instance, type Operation, type Program, atomically, readOnce } from 'vmcheck'
import type { Frame } from 'vmcheck/vm'
import { type CommittedSet, type Kernel, type Process, type Slot, dropFrame, isCow, leaveSet } from './kernel.ts'

/** Pages for which a fork commits memory. */
export function pagesNeeded({ need }: Kernel, { slots }: Process): number {
  return slots.filter(({ kind }) => need === 'all' || kind === 'frame' || (need === 'nonzero' && kind === 'lazy'))
    .length
}

/** fork of a process with one region, which keeps both address spaces locked: false without memory. What the parent's threads store meanwhile came before it. */
export function* fork(kernel: Kernel, parent: Process, child: Process): Program<boolean> {
  yield* parent.space.acquire()
  yield* child.space.acquire()
  yield* parent.lock.acquire()
  const isCloned = yield* cloneObject(kernel, parent, child)
  yield* parent.lock.release()
  if (isCloned) {
    yield* remapAll(kernel, parent, 'flush')
    yield* remapAll(kernel, child, 'no-flush')
  }
  yield* atomically(() => {
    child.object.unborn = false
  })
  yield* child.space.release()
  yield* parent.space.release()
  return isCloned
}

/** AnonymousVMObject::try_clone, with the parent's object locked. */
function* cloneObject(kernel: Kernel, parent: Process, child: Process): Program<boolean> {
  const { account, m } = kernel
  child.object.shows = parent.object.shows
  if (parent.object.volatile) {
    child.object.volatile = true
    child.object.wasPurged = kernel.clonePurged
    return true
  }
  const need = pagesNeeded(kernel, parent)
  if (need === 0) return true
  const isCommitted = yield* atomically(() => account.commit(need))
  if (!isCommitted) return false
  if (kernel.watches.forkExact) {
    const real = parent.slots.filter(({ kind }) => kind === 'frame').length
    m.assert(need === real, 'a fork commits for the pages that have a frame')
  }
  yield* shareSlots(kernel, parent, child, need)
  return true
}

/** The child gets the parent's slots, both get a new set, and their bits say what is to be copied. */
export function* shareSlots(kernel: Kernel, parent: Process, child: Process, need: number): Program {
  const { frames, sets, zMark } = kernel
  yield* leaveSet(kernel, parent)
  yield* atomically(() => {
    const set = sets.allocate({ references: 2, count: need })
    if (!set) throw new Error('this model has too few sets')
    parent.object.set = set
    child.object.set = set
    child.object.unborn = true
    parent.slots.forEach((slot, page) => {
      const copy = child.slots[page] as Instance<Slot>
      const isReal = slot.kind === 'frame'
      copy.kind = slot.kind === 'lazy' ? 'zero' : slot.kind
      copy.frame = slot.frame
      if (slot.frame) frames.reference(slot.frame)
      slot.cow = isReal || zMark
      copy.cow = isReal || zMark
    })
    for (const { units } of [parent, child]) for (const unit of units) unit.taken = false
  })
}

/** Region::remap and Region::map: every page as its slot and bit say. The object's lock is taken for each page, with the page tables' lock held; faults and purges take them in the other order. */
export function* remapAll(kernel: Kernel, process: Process, flush: 'flush' | 'no-flush'): Program {
  const { lock, pdLock, slots } = process
  if (kernel.objectFirst) {
    yield* lock.acquire()
    yield* remapWithLockedObject(kernel, process, flush)
    yield* lock.release()
    return
  }
  yield* pdLock.acquire()
  for (const page of slots.keys()) yield* mapPage(kernel, process, page, 'unlocked')
  if (flush === 'flush') yield* flushAll(process)
  yield* pdLock.release()
}

/** Region::remap_with_locked_vmobject. */
export function* remapWithLockedObject(
  kernel: Kernel,
  process: Process,
  flush: 'flush' | 'no-flush' = 'flush',
): Program {
  const { pdLock, slots } = process
  yield* pdLock.acquire()
  for (const page of slots.keys()) yield* mapPage(kernel, process, page, 'locked')
  if (flush === 'flush') yield* flushAll(process)
  yield* pdLock.release()
}

function flushAll({ pageTable }: Process): Operation<void> {
  return atomically(() => {
    for (let cpu = 0; cpu < pageTable.cpus; cpu++) pageTable.invalidateAll(cpu)
  })
}

/** map_individual_page_impl: a page-table entry is written from a copy of the slot; whether a copy is due is read without a lock. */
function* mapPage(kernel: Kernel, process: Process, page: number, object: 'unlocked' | 'locked'): Program {
  const { zeroPage, frames } = kernel
  const { pageTable, lock } = process
  if (object === 'unlocked') yield* lock.acquire()
  const { kind, frame } = process.slots[page] as Instance<Slot>
  const held = kind === 'frame' ? frame : null
  if (held) yield* atomically(() => frames.reference(held))
  if (object === 'unlocked') yield* lock.release()
  const writable = held !== null && (yield* readOnce(() => !isCow(process, page)))
  yield* atomically(() => pageTable.set(page, held ?? zeroPage, writable))
  if (held) yield* dropFrame(kernel, held)
}

/** The end of a process: its region goes, and with it, unless a child is detaching it just now, its object. */
export function* exit(kernel: Kernel, process: Process, parent: Process | null): Program {
  const { pageTable, space } = process
  yield* space.acquire()
  yield* atomically(() => {
    for (const page of pageTable.entries.keys()) pageTable.set(page, null)
    for (let cpu = 0; cpu < pageTable.cpus; cpu++) pageTable.invalidateAll(cpu)
  })
  yield* releaseObject(kernel, process, parent)
  yield* space.release()
}

/** One strong reference fewer; the last one destroys the object. */
function* releaseObject(kernel: Kernel, process: Process, parent: Process | null): Program {
  const isLast = yield* atomically(() => {
    process.object.strong -= 1
    return process.object.strong === 0
  })
  if (isLast) yield* destroy(kernel, process, parent)
}

/** ~AnonymousVMObject: what it shares, then what it has. The link to the parent is weak: it may be gone. */
function* destroy(kernel: Kernel, process: Process, parent: Process | null): Program {
  const { account, dtor } = kernel
  const { object, slots } = process
  const { set } = object
  if (dtor && set && parent && (yield* readOnce(() => set.count > 0))) yield* detachParent(kernel, set, parent)
  yield* leaveSet(kernel, process)
  const { unused } = object
  if (unused > 0) {
    object.unused = 0
    yield* atomically(() => account.uncommit(unused))
  }
  for (const slot of slots) {
    const frame: Instance<Frame> | null = slot.frame
    slot.kind = 'zero'
    slot.frame = null
    if (frame) yield* dropFrame(kernel, frame)
  }
}

/** 1d96c30488a: the parent leaves the set that it shares with a dying child, if it is alive and that is still its set. */
function* detachParent(kernel: Kernel, set: Instance<CommittedSet>, parent: Process): Program {
  const isAlive = yield* atomically(() => {
    if (parent.object.strong === 0) return false
    parent.object.strong += 1
    return true
  })
  if (!isAlive) return
  yield* parent.lock.acquire()
  if (parent.object.set === set) yield* leaveSet(kernel, parent)
  yield* parent.lock.release()
  yield* releaseObject(kernel, parent, null)
}

/** madvise, set_volatile(true): the pages may be purged. What was reported before. */
export function* setVolatile(kernel: Kernel, process: Process): Program<boolean> {
  const { account } = kernel
  const { object, slots, lock, space } = process
  yield* space.acquire()
  yield* lock.acquire()
  const { wasPurged, unused } = object
  if (!object.volatile) {
    for (const slot of slots) if (slot.kind === 'lazy') slot.kind = 'zero'
    if (unused > 0) {
      object.unused = 0
      yield* atomically(() => account.uncommit(unused))
    }
    yield* leaveSet(kernel, process)
    for (const slot of slots) slot.cow = false
    object.volatile = true
    object.wasPurged = false
    yield* remapWithLockedObject(kernel, process)
  }
  yield* lock.release()
  yield* space.release()
  return wasPurged
}

/** madvise, set_volatile(false): whether the pages were purged, or null without memory to commit. */
export function* setNonvolatile(kernel: Kernel, process: Process): Program<boolean | null> {
  const { lock, space, object } = process
  yield* space.acquire()
  yield* lock.acquire()
  const { wasPurged } = object
  const isBacked = !object.volatile || (yield* commitEmptyPages(kernel, process))
  yield* lock.release()
  yield* space.release()
  return isBacked ? wasPurged : null
}

/** set_volatile(false) of a volatile object: false without memory for the pages that it has lost. */
function* commitEmptyPages(kernel: Kernel, process: Process): Program<boolean> {
  const { account } = kernel
  const { object, slots } = process
  const empty = slots.filter(({ kind }) => kind === 'zero')
  if (empty.length > 0) {
    const isCommitted = yield* atomically(() => account.commit(empty.length))
    if (!isCommitted) return false
    for (const slot of empty) slot.kind = 'lazy'
    object.unused = empty.length
  }
  if (object.wasPurged) object.shows = 0
  object.volatile = false
  if (empty.length === 0) return true
  object.wasPurged = false
  yield* remapWithLockedObject(kernel, process)
  return true
}

/** purge: the pages of a volatile object go. How many. */
export function* purge(kernel: Kernel, process: Process): Program<number> {
  const { object, slots, lock } = process
  yield* lock.acquire()
  let purged = 0
  if (object.volatile) {
    for (const slot of slots) {
      const { frame } = slot
      if (slot.kind === 'zero') continue
      slot.kind = 'zero'
      slot.frame = null
      if (frame) yield* dropFrame(kernel, frame)
      purged += 1
    }
    object.wasPurged = true
    yield* remapWithLockedObject(kernel, process)
  }
  yield* lock.release()
  return purged
}
