// GNU Mach vm/vm_map.c: wiring and unwiring ranges of a map.
import { type Program, atomically, readOnce } from 'vmcheck'
import type { Entry, Kernel } from './kernel.ts'
import { vmFaultUnwire, vmFaultWire } from './vm-fault.ts'

/** vm_map_pageable: wires a range so that its pages stay resident; fails without effect where a page is not mapped. */
export function* vmMapPageable(kernel: Kernel, start: number, end: number): Program {
  const { map, m, mark, windows, space, userWire } = kernel
  const window = windows.of(m.self)
  const staysLocked = space === 'user' && userWire !== 'transit'
  yield* map.lockMap()
  if (kernel.waitTransit) yield* waitForTransit(kernel, start, end)
  const scan = yield* atomically(() => {
    const entries = isMapped(kernel, start, end) ? clipRange(kernel, start, end) : []
    for (const entry of entries) wireEntry(kernel, entry)
    const [first] = entries
    const faults = entries.some((entry) => entry.wired === 1)
    if (faults && mark && !staysLocked && first) markRange(kernel, first, end)
    window.inside = faults
    return { first, after: entries.at(-1)?.next ?? null, faults }
  })
  const { first, after, faults } = scan
  if (staysLocked && faults && first) {
    yield* wireUserMap(kernel, first, after, end)
    yield* atomically(() => {
      window.inside = false
      m.assert(() => isWired(kernel, start, end), 'a wired range is resident and wired')
    })
  }
  yield* map.lock.release()
  if (staysLocked || !faults || !first) return

  yield* wiringWalk(kernel, first, after, end)

  yield* map.lockMap()
  const isAwaited = yield* atomically(() => {
    const found = mark && clearRange(kernel, first, end)
    window.inside = false
    m.assert(() => isWired(kernel, start, end), 'a wired range is resident and wired')
    return found
  })
  yield* map.lock.release()
  if (isAwaited) yield* map.inTransitionEvent.wakeup()
}

/** Pass 2 on a user's map: the pages are faulted in with the map locked for reading, which faults take once more. */
function* wireUserMap(kernel: Kernel, first: Entry, after: Entry | null, end: number): Program {
  const { map, userWire } = kernel
  if (userWire === 'recursive') yield* map.lock.setRecursive()
  yield* map.lock.downgrade()
  yield* wiringWalk(kernel, first, after, end)
  if (userWire === 'recursive') yield* map.lock.clearRecursive()
}

/** Not in the kernel: with the write lock held, waits until no entry of a range is in transition. */
export function* waitForTransit({ map }: Kernel, start: number, end: number): Program {
  for (;;) {
    const mustWait = yield* atomically(() => {
      const entry = map.list().find((at) => at.start < end && at.end > start && at.inTransition)
      if (!entry) return false
      entry.needsWakeup = true
      map.inTransitionEvent.enlist()
      return true
    })
    if (!mustWait) return
    yield* map.lock.release()
    yield* map.inTransitionEvent.block()
    yield* map.lockMap()
  }
}

function isMapped({ map }: Kernel, start: number, end: number): boolean {
  for (let va = start; va < end; va++) if (!map.lookup(va)) return false
  return true
}

/** Cuts the entries that reach out of a range, and gives those within; none when its start is not mapped. */
function clipRange({ map }: Kernel, start: number, end: number): Entry[] {
  const first = map.lookup(start)
  if (!first) return []
  map.clipStart(first, start)
  const entries: Entry[] = []
  for (let entry: Entry | null = first; entry && entry.start < end; entry = entry.next) {
    map.clipEnd(entry, end)
    entries.push(entry)
  }
  return entries
}

/** Pass 1 of vm_map_pageable_scan for one entry. */
function wireEntry({ store }: Kernel, entry: Entry): void {
  if (entry.wired === 0 && !entry.object) {
    entry.object = store.allocate()
    entry.offset = 0
  }
  entry.wired = Math.min(2, entry.wired + 1)
}

/** Patch 3: the entries of the range belong to this thread while the map is unlocked. */
function markRange({ m }: Kernel, first: Entry, end: number): void {
  for (let entry: Entry | null = first; entry && entry.end <= end; entry = entry.next) {
    m.assert(!entry.inTransition, 'an entry to be marked is not in transition')
    entry.inTransition = true
    entry.needsWakeup = false
  }
}

/** Patch 3: and no longer. Whether a thread has to be woken. */
function clearRange({ m, clear }: Kernel, first: Entry, end: number): boolean {
  let isAwaited = false
  for (let entry: Entry | null = first; entry && entry.end <= end; entry = entry.next) {
    m.assert(entry.inTransition, 'an entry to be cleared is in transition')
    entry.inTransition = false
    if (clear === 'assert') m.assert(!entry.needsWakeup, 'no thread waits for an entry in transition')
    if (clear === 'wake' && entry.needsWakeup) {
      entry.needsWakeup = false
      isAwaited = true
    }
  }
  return isAwaited
}

/** Pass 2 of vm_map_pageable_scan: follows the list without the lock and faults in what pass 1 has just wired. */
function* wiringWalk(kernel: Kernel, first: Entry, after: Entry | null, end: number): Program {
  const { walk } = kernel
  let entry: Entry | null = first
  while (entry) {
    const at: Entry = entry
    if (walk === 'ptr' && at === after) return
    const test = yield* readOnce(() => ({ isOutside: at.end > end, isLast: at.end >= end, wired: at.wired }))
    if (walk === 'addr' && test.isOutside) return
    if (test.wired === 1) yield* vmFaultWire(kernel, at)
    if (walk === 'strict' && test.isLast) return
    entry = yield* readOnce(() => at.next)
  }
}

/** What vm_map_pageable promises: every page of the range is resident and wired, as its entry says. */
function isWired({ map, store }: Kernel, start: number, end: number): boolean {
  for (let va = start; va < end; va++) {
    const entry = map.lookup(va)
    if (!entry?.object || entry.wired === 0) return false
    const slot = store.lookup(entry.object, entry.offset + va - entry.start)
    if (!slot || slot.page.wirings === 0) return false
  }
  return true
}

/** vm_map_pageable with VM_PROT_NONE: unwires a range, in the kernel under the write lock throughout. */
export function* vmMapUnwire(kernel: Kernel, start: number, end: number): Program {
  const { map } = kernel
  yield* map.lockMap()
  if (kernel.waitTransit) yield* waitForTransit(kernel, start, end)
  const entries = yield* atomically(() => clipRange(kernel, start, end))
  for (const entry of entries) {
    const wasWired = yield* atomically(() => resetWired(entry))
    if (wasWired) yield* unwirePages(kernel, entry)
  }
  yield* map.lock.release()
}

/** Unwires the pages of an entry with the write lock held; UNWIRE=transit drops it meanwhile, the entry being marked. */
export function* unwirePages(kernel: Kernel, entry: Entry): Program {
  const { map, unwire, unwireMarks, unwireWakes } = kernel
  if (unwire === 'locked') {
    yield* vmFaultUnwire(kernel, entry)
    return
  }
  yield* atomically(() => {
    entry.inTransition = unwireMarks
    entry.needsWakeup = false
  })
  yield* map.lock.release()
  yield* vmFaultUnwire(kernel, entry)
  yield* map.lockMap()
  yield* atomically(() => {
    if (entry.needsWakeup && unwireWakes) map.inTransitionEvent.wakeAll()
    entry.inTransition = false
    entry.needsWakeup = false
  })
}

/** Whether the entry was wired; it is not any more. */
export function resetWired(entry: Entry): boolean {
  const wasWired = entry.wired !== 0
  entry.wired = 0
  return wasWired
}
