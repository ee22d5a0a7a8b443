// GNU Mach vm/vm_map.c: entering, inheriting and deleting ranges of a map, and copyout.
// An edit of the entry list under the map's write lock is one atomically(...): threads that walk the list without
// the lock see it before or after the edit.
import { type Instance, type Program, atomically } from 'vmcheck'
import type { VmObject } from 'vmcheck/vm'
import type { Entry, Kernel } from './kernel.ts'
import { resetWired, unwirePages, waitForTransit } from './vm-map-pageable.ts'

/** vm_map_enter at a fixed address, without an object. */
export function* vmMapEnter(kernel: Kernel, start: number, end: number): Program {
  const { map, m } = kernel
  yield* map.lockMap()
  yield* atomically(() => {
    for (let va = start; va < end; va++) m.assert(map.lookup(va) === null, 'the range to enter is free')
    enter(kernel, start, end)
  })
  yield* map.lock.release()
}

/** vm_map_enter anywhere: the lowest gap of `size` pages. */
export function* vmMapEnterAnywhere(kernel: Kernel, size: number): Program<number> {
  const { map } = kernel
  yield* map.lockMap()
  const start = yield* atomically(() => {
    let found = 0
    for (const entry of map.list()) if (entry.start < found + size) found = Math.max(found, entry.end)
    enter(kernel, found, found + size)
    return found
  })
  yield* map.lock.release()
  return start
}

/** The second half of vm_map_enter: extends a neighbour if that is possible, else makes an entry. */
export function enter(kernel: Kernel, start: number, end: number): void {
  const { map, inhibit } = kernel
  const previous = map.before(start)
  const next = map.after(previous)
  const mayExtend = (entry: Entry): boolean =>
    entry.wired === 0 && entry.inheritance === 0 && !(inhibit && entry.inTransition)
  if (previous && previous.end === start && mayExtend(previous) && mayGrow(previous.object)) {
    freeAbsorbedPages(kernel, previous, start, end)
    previous.end = end
    if (next) vmMapCoalesceEntry(kernel, next)
  } else if (
    next &&
    next.start === end &&
    mayExtend(next) &&
    mayGrow(next.object) &&
    (!next.object || next.offset >= end - start)
  ) {
    if (next.object) next.offset -= end - start
    next.start = start
    freeAbsorbedPages(kernel, next, start, end)
    vmMapCoalesceEntry(kernel, next)
  } else {
    map.insert(previous, {
      start,
      end,
      wired: 0,
      inTransition: false,
      needsWakeup: false,
      object: null,
      offset: 0,
      inheritance: 0,
    })
  }
}

/** Whether an object is one entry's alone, and no one works on it. */
function isPrivate({ references, paging }: Instance<VmObject>): boolean {
  return references === 1 && paging === 0
}

/** What vm_object_coalesce asks of an object, if there is one, that is to cover more. */
function mayGrow(object: Instance<VmObject> | null): boolean {
  return object === null || (isPrivate(object) && !object.usedForPageout)
}

/** vm_object_page_remove on a range of an entry that now covers it: what an earlier mapping left there goes. */
function freeAbsorbedPages({ store }: Kernel, entry: Entry, start: number, end: number): void {
  if (!entry.object) return
  for (let va = start; va < end; va++) {
    const slot = store.lookup(entry.object, entry.offset + va - entry.start)
    if (slot) store.freePage(slot.page)
  }
}

/** vm_map_coalesce_entry: merges an entry into its predecessor if all attributes agree; the survivor. */
export function vmMapCoalesceEntry(kernel: Kernel, entry: Entry): Entry {
  const { map } = kernel
  const previous = map.predecessor(entry)
  if (!previous || previous.end !== entry.start || previous.inheritance !== entry.inheritance) return entry
  if (previous.wired !== entry.wired || previous.inTransition || entry.inTransition) return entry
  if (!vmObjectCoalesce(kernel, previous, entry)) return entry
  previous.end = entry.end
  map.remove(entry)
  return previous
}

/** vm_object_coalesce: whether two adjacent entries can share one object; makes them do so. */
export function vmObjectCoalesce(kernel: Kernel, previous: Entry, entry: Entry): boolean {
  const size = previous.end - previous.start
  if (previous.object === null && entry.object === null) return true
  if (previous.object !== null && entry.object !== null) {
    if (previous.object !== entry.object || previous.offset + size !== entry.offset) return false
    kernel.store.deallocate(entry.object)
    return true
  }
  if (!mayGrow(previous.object) || !mayGrow(entry.object)) return false
  if (previous.object !== null) {
    freeAbsorbedPages(kernel, previous, entry.start, entry.end)
    return true
  }
  if (entry.offset < size) return false
  previous.object = entry.object
  previous.offset = entry.offset - size
  freeAbsorbedPages(kernel, previous, previous.start, previous.end)
  return true
}

/** vm_map_inherit that sets what is set already: its only effect is that neighbours may merge. */
export function* vmMapInherit(kernel: Kernel, start: number, end: number): Program {
  const { map } = kernel
  yield* map.lockMap()
  yield* atomically(() => {
    let entry = map.lookup(start)
    if (entry) map.clipStart(entry, start)
    for (; entry && entry.start < end; entry = entry.next) {
      map.clipEnd(entry, end)
      entry = vmMapCoalesceEntry(kernel, entry)
    }
    if (entry) vmMapCoalesceEntry(kernel, entry)
  })
  yield* map.lock.release()
}

/** vm_map_remove */
export function* vmMapRemove(kernel: Kernel, start: number, end: number): Program {
  yield* kernel.map.lockMap()
  yield* vmMapDelete(kernel, start, end)
  yield* kernel.map.lock.release()
}

/** vm_map_copyout_page_list onto free pages: inserts the copy's pages; its continuation runs with the map unlocked. */
export function* vmMapCopyoutPageList(kernel: Kernel, start: number, end: number): Program {
  const { map, m, copyoutClear, windows } = kernel
  const window = windows.of(m.self)
  yield* map.lockMap()
  const from = yield* atomically(() => {
    const last = extendForCopyout(kernel, start, end) ?? enterWithObject(kernel, start, end)
    last.inTransition = true
    insertPages(kernel, last, start, end)
    window.inside = true
    return copyoutClear === 'start' ? start : last.start
  })
  yield* map.lock.release()

  yield* map.lockMap()
  const isAwaited = yield* atomically(() => {
    let found = false
    for (let entry = map.lookup(from); entry && entry.start < end; entry = entry.next) {
      m.assert(entry.inTransition, 'an entry to be cleared is in transition')
      entry.inTransition = false
      found ||= entry.needsWakeup
      entry.needsWakeup = false
    }
    window.inside = false
    return found
  })
  yield* map.lock.release()
  if (isAwaited) yield* map.inTransitionEvent.wakeup()
}

/** The entry before the copy's pages, extended over them; null where that cannot be. The test is not vm_object_coalesce's: it extends what was sent to a pager. */
function extendForCopyout({ map, store, inhibit, copyoutExtends }: Kernel, start: number, end: number): Entry | null {
  const last = map.before(start)
  if (!last || last.end !== start || last.inheritance !== 0 || last.wired !== 0 || (inhibit && last.inTransition))
    return null
  if (last.object === null) {
    last.object = store.allocate()
    last.offset = 0
  } else if (!(copyoutExtends === 'private' ? isPrivate(last.object) : mayGrow(last.object))) return null
  last.end = end
  return last
}

/** An entry of its own for the copy's pages, with an object. */
function enterWithObject({ map, store }: Kernel, start: number, end: number): Entry {
  return map.insert(map.before(start), {
    start,
    end,
    wired: 0,
    inTransition: false,
    needsWakeup: false,
    object: store.allocate(),
    offset: 0,
    inheritance: 0,
  })
}

/** vm_page_replace: the copy's pages become the object's. */
function insertPages({ store }: Kernel, entry: Entry, start: number, end: number): void {
  for (let va = start; va < end; va++) {
    const { page } = store.slot(entry.object as Instance<VmObject>, entry.offset + va - entry.start)
    store.freePage(page)
    page.resident = true
  }
}

/** vm_map_delete, with the write lock held. */
export function* vmMapDelete(kernel: Kernel, start: number, end: number): Program {
  const { map } = kernel
  if (kernel.deleteCheck === 'before-clip') yield* waitForTransit(kernel, start, end)
  let entry: Entry | null = yield* atomically(() => {
    const found = map.lookup(start)
    if (found) map.clipStart(found, start)
    return found ?? map.after(map.before(start))
  })
  while (entry) {
    const at: Entry = entry
    const todo = yield* atomically(() => {
      if (at.start >= end) return 'done'
      map.clipEnd(at, end)
      if (at.inTransition) {
        at.needsWakeup = true
        map.inTransitionEvent.enlist()
        return 'wait'
      }
      return resetWired(at) && at.object ? 'unwire' : 'remove'
    })
    if (todo === 'done') return
    if (todo === 'wait') {
      yield* map.lock.release()
      yield* map.inTransitionEvent.block()
      yield* map.lockMap()
      entry = yield* atomically(() => map.lookup(start) ?? map.after(map.before(start)))
      continue
    }
    if (todo === 'unwire') yield* unwirePages(kernel, at)
    entry = yield* atomically(() => removeEntry(kernel, at))
  }
}

/** The end of a deletion for one entry; the entry after it. */
function removeEntry(kernel: Kernel, entry: Entry): Entry | null {
  const { map, store } = kernel
  const { object, next } = entry
  if (object) {
    if (isPrivate(object)) freeAbsorbedPages(kernel, entry, entry.start, entry.end)
    store.deallocate(object)
  }
  map.remove(entry)
  return next
}
