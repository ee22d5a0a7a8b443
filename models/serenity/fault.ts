// SerenityOS Kernel/Memory/Region.cpp and AnonymousVMObject.cpp: page faults.
import { type Instance, type Program, atomically, readOnce } from 'vmcheck'
import type { Frame } from 'vmcheck/vm'
import {
  type CommittedSet,
  type Kernel,
  type Process,
  type Slot,
  dropFrame,
  isCow,
  leaveSet,
  lockOfSet,
} from './kernel.ts'

/** What a fault comes to. */
export type FaultResult = 'Continue' | 'ShouldCrash' | 'OutOfMemory'

/** Who faults, and where. */
export interface Fault {
  readonly process: Process
  readonly cpu: number
  readonly page: number
}

/** Region::handle_fault on a write, from the look-up of the region on: finds the cause and deals with it. */
export function* handleFault(kernel: Kernel, fault: Fault): Program<FaultResult> {
  const { process, page } = fault
  yield* findRegion(process)
  if (kernel.dispatch === 'cow-slot') {
    const cow = yield* readOnce(() => isCow(process, page))
    if (!cow) return yield* faultWithoutReason(kernel, fault)
  }
  const { kind, frame, cow: seen } = yield* copySlot(kernel, fault)
  if (kind !== 'frame') return yield* handleZeroFault(kernel, fault, kind)
  const cow = kernel.dispatch === 'slot-cow' ? yield* readOnce(() => isCow(process, page)) : seen
  const result = cow ? yield* handleCowFault(kernel, fault) : yield* faultWithoutReason(kernel, fault)
  if (kernel.dref && frame) yield* dropFrame(kernel, frame)
  return result
}

/** MemoryManager::handle_page_fault looks the region up, which a fork, say, holds up; the fault itself runs without the space's lock. */
function* findRegion({ space }: Process): Program {
  yield* space.acquire()
  yield* space.release()
}

/** What the dispatcher goes by. */
interface SlotCopy {
  readonly kind: Slot['kind']
  readonly frame: Instance<Frame> | null
  /** Whether a copy is due, as far as this look at the slot has told. */
  readonly cow: boolean
}

/** The dispatcher's copy of the slot, with a reference to its frame where it holds one. */
function* copySlot({ frames, dref, dispatch }: Kernel, { process, page }: Fault): Program<SlotCopy> {
  const slot = process.slots[page] as Instance<Slot>
  yield* process.lock.acquire()
  const { kind, frame } = slot
  const cow = dispatch === 'together' ? slot.cow : true
  if (dref && frame) yield* atomically(() => frames.reference(frame))
  yield* process.lock.release()
  return { kind, frame, cow }
}

/** Neither a page without a frame nor one to be copied. */
function* faultWithoutReason({ m, noReason }: Kernel, { process, page }: Fault): Program<FaultResult> {
  if (noReason === 'crash') return 'ShouldCrash'
  if (noReason === 'tolerate') return 'Continue'
  yield* process.pdLock.acquire()
  const mapped = yield* atomically(() => process.pageTable.translation(page))
  m.assert(mapped?.writable ?? false, 'a legal access does not kill the process')
  yield* process.pdLock.release()
  return 'Continue'
}

/** Region::handle_zero_fault, of the kind that the dispatcher saw. */
export function* handleZeroFault(kernel: Kernel, fault: Fault, kind: 'zero' | 'lazy'): Program<FaultResult> {
  const result = kernel.zLock
    ? yield* zeroFaultLocked(kernel, fault, kind)
    : yield* zeroFaultUnlocked(kernel, fault, kind)
  const { watches, m } = kernel
  const { process, page } = fault
  if (watches.zeroFinal && result === 'Continue')
    m.assert(
      () =>
        process.pageTable.translation(page)?.writable === true || `page ${page} of ${process.name} is read-only again`,
      'a zero fault leaves its page writable',
    )
  return result
}

function* zeroFaultLocked(kernel: Kernel, fault: Fault, kind: 'zero' | 'lazy'): Program<FaultResult> {
  const { process, page } = fault
  const slot = process.slots[page] as Instance<Slot>
  yield* process.lock.acquire()
  let frame = slot.kind === 'frame' ? slot.frame : null
  if (!frame) {
    frame = yield* allocateForZero(kernel, process, kind)
    if (frame) yield* install(slot, frame)
  }
  if (frame) {
    const mapped = frame
    yield* atomically(() => kernel.frames.reference(mapped))
    yield* remap(kernel, fault, mapped)
  }
  yield* process.lock.release()
  return frame ? 'Continue' : 'OutOfMemory'
}

function* zeroFaultUnlocked(kernel: Kernel, fault: Fault, kind: 'zero' | 'lazy'): Program<FaultResult> {
  const { process, page } = fault
  const slot = process.slots[page] as Instance<Slot>
  const frame = yield* allocateForZero(kernel, process, kind)
  if (!frame) return 'OutOfMemory'
  yield* process.lock.acquire()
  const found = slot.kind === 'frame' ? slot.frame : null
  if (found) yield* dropFrame(kernel, frame)
  else yield* install(slot, frame)
  const mapped = found ?? frame
  yield* atomically(() => kernel.frames.reference(mapped))
  yield* process.lock.release()
  yield* remap(kernel, fault, mapped)
  return 'Continue'
}

function* install(slot: Instance<Slot>, frame: Instance<Frame>): Program {
  yield* atomically(() => {
    slot.kind = 'frame'
    slot.frame = frame
  })
}

/** A frame for a page without one: from the object's own units if it was committed lazily, else from the uncommitted. */
function* allocateForZero(
  { m, account, frames, splitUnits }: Kernel,
  { object }: Process,
  kind: 'zero' | 'lazy',
): Program<Instance<Frame> | null> {
  if (kind === 'lazy' && splitUnits) {
    const { unused } = object
    m.assert(unused > 0, 'a unit is taken from a set that has one')
    object.unused = unused - 1
  } else if (kind === 'lazy') {
    yield* atomically(() => {
      m.assert(object.unused > 0, 'a unit is taken from a set that has one')
      object.unused -= 1
    })
  }
  return yield* atomically(() => {
    if (kind === 'lazy') account.useCommitted()
    else if (!account.useUncommitted()) return null
    return frames.allocate()
  })
}

/** Region::remap_vmobject_page: takes over one reference to the frame. */
export function* remap(kernel: Kernel, { process, page }: Fault, frame: Instance<Frame>): Program {
  const { pageTable, pdLock } = process
  yield* pdLock.acquire()
  const writable = yield* readOnce(() => !isCow(process, page))
  yield* atomically(() => pageTable.set(page, frame, writable))
  yield* atomically(() => {
    for (let cpu = 0; cpu < pageTable.cpus; cpu++) pageTable.invalidate(cpu, page)
  })
  yield* pdLock.release()
  yield* dropFrame(kernel, frame)
}

/** AnonymousVMObject::handle_cow_fault, and the remap that follows it. */
export function* handleCowFault(kernel: Kernel, fault: Fault): Program<FaultResult> {
  const { holdV, cowLock, cow } = kernel
  const { process } = fault
  if (cowLock) yield* cow.acquire()
  yield* process.lock.acquire()
  const result = yield* resolveCow(kernel, fault)
  if (!holdV || result !== 'Continue') yield* process.lock.release()
  if (result === 'Continue') {
    const frame = yield* referenceSlot(kernel, fault)
    yield* remap(kernel, fault, frame)
    if (holdV) yield* process.lock.release()
  }
  if (cowLock) yield* cow.release()
  return result
}

/** The reference that a remap is given: the slot's, read with no lock where the object's is not held. */
function* referenceSlot({ frames, splitRef }: Kernel, { process, page }: Fault): Program<Instance<Frame>> {
  const slot = process.slots[page] as Instance<Slot>
  if (!splitRef) {
    return yield* atomically(() => {
      const frame = slot.frame as Instance<Frame>
      frames.reference(frame)
      return frame
    })
  }
  const frame = (yield* readOnce(() => slot.frame)) as Instance<Frame>
  yield* atomically(() => frames.reference(frame))
  return frame
}

/** The page becomes the process's own, with the object locked. */
export function* resolveCow(kernel: Kernel, { process, cpu, page }: Fault): Program<FaultResult> {
  const { recheck, frames, account } = kernel
  const { object } = process
  const slot = process.slots[page] as Instance<Slot>
  if (object.volatile) return 'ShouldCrash'
  if (recheck && !slot.cow) return 'Continue'
  const { set } = object
  if (set) {
    const isEmpty = yield* readOnce(() => set.count === 0)
    if (isEmpty) yield* leaveSet(kernel, process)
  }
  const old = slot.frame as Instance<Frame>
  const references = yield* atomically(() => old.references)
  if (references === 1) {
    slot.cow = false
    const left = object.set
    if (left && (yield* takeUnit(kernel, process, page, left, 'uncommit'))) yield* leaveSet(kernel, process)
    return 'Continue'
  }
  const from = object.set
  const copy = from
    ? yield* allocateFromSet(kernel, process, page, from)
    : yield* atomically(() => (account.useUncommitted() ? frames.allocate() : null))
  if (!copy) return 'OutOfMemory'
  yield* copyPage(process, cpu, page, copy)
  yield* atomically(() => {
    slot.frame = copy
    if (frames.release(old)) account.free()
  })
  slot.cow = false
  return 'Continue'
}

/** take_one: a frame for which a unit of the set is used. */
function* allocateFromSet(
  kernel: Kernel,
  process: Process,
  page: number,
  set: Instance<CommittedSet>,
): Program<Instance<Frame> | null> {
  yield* takeUnit(kernel, process, page, set, 'use')
  return yield* atomically(() => kernel.frames.allocate())
}

/** take_one and uncommit_one: a unit leaves the set. Whether it was the last. */
function* takeUnit(
  kernel: Kernel,
  { units, name }: Process,
  page: number,
  set: Instance<CommittedSet>,
  why: 'use' | 'uncommit',
): Program<boolean> {
  const { m, account, watches } = kernel
  const lock = lockOfSet(kernel, set)
  yield* lock.acquire()
  const { count } = set
  m.assert(count > 0, 'a unit is taken from a set that has one')
  set.count = count - 1
  yield* atomically(() => {
    const unit = units[page] as Instance<{ taken: boolean }>
    if (watches.oneUnit)
      m.assert(
        () => !unit.taken || `page ${page} of ${name} takes a second unit out of ${set.name}`,
        'a page takes at most one unit',
      )
    unit.taken = true
    if (why === 'use') account.useCommitted()
    else account.uncommit(1)
  })
  yield* lock.release()
  return count === 1
}

/** The copy is read through the faulting address, as this CPU translates it; where that faults it is only logged. */
function* copyPage({ pageTable }: Process, cpu: number, page: number, copy: Instance<Frame>): Program {
  yield* atomically(() => {
    const source = pageTable.access(cpu, page, 'read')
    if (source) copy.content = source.frame.content
  })
}
