// GNU Mach vm/vm_fault.c: faults on a map's pages, and wiring and unwiring by them.
// A section under an object's spin lock is one atomically(...).
import { type Instance, type Program, atomically, readOnce } from 'vmcheck'
import type { PageSlot, VmObject } from 'vmcheck/vm'
import type { Entry, Kernel } from './kernel.ts'

/**
 * vm_fault_wire: wires the pages of an entry, with the map unlocked. The bounds are read once; the entry may change
 * under it.
 */
export function* vmFaultWire(kernel: Kernel, entry: Entry): Program {
  const { start, end } = yield* readOnce(() => ({ start: entry.start, end: entry.end }))
  for (let va = start; va < end; va++) {
    if (!(yield* vmFaultWireFast(kernel, va, entry))) yield* vmFault(kernel, va, true)
  }
}

/** vm_fault_wire_fast: wires a resident page without looking at the map; false when it cannot. */
function* vmFaultWireFast({ m, store, fast }: Kernel, va: number, entry: Entry): Program<boolean> {
  if (fast === 'off' || (fast === 'nondet' && m.choose(2, 'the fast path gives up') === 1)) return false
  const slot = yield* atomically(() => {
    const { object, offset, start } = entry
    if (!object) throw new Error(`${entry.name} has no object`)
    const found = store.lookup(object, offset + va - start)
    if (!found || found.page.busy) return null
    store.reference(object)
    object.paging += 1
    found.page.wirings += 1
    store.makeBusy(found.page)
    return { found, object }
  })
  if (!slot) return false
  yield* releasePage({ store }, slot.found, slot.object)
  return true
}

/** The end of a fault: PAGE_WAKEUP_DONE, vm_object_paging_end, vm_object_deallocate. */
function* releasePage({ store }: Pick<Kernel, 'store'>, slot: PageSlot, object: Instance<VmObject>): Program {
  yield* atomically(() => {
    store.wakeupDone(slot)
    object.paging -= 1
    store.deallocate(object)
  })
}

/**
 * vm_fault: finds the page under the map's read lock, makes it busy, and looks again before it enters it; with
 * `changeWiring` it wires the page, or unwires it if the entry is not wired.
 */
export function* vmFault(kernel: Kernel, va: number, changeWiring: boolean): Program<boolean> {
  const { m, map, store } = kernel
  for (;;) {
    const found = yield* vmMapLookup(kernel, va)
    if (!found) return false
    const { object, offset } = found
    const slot = store.slot(object, offset)
    yield* vmFaultPage(kernel, slot)
    const verdict = yield* vmFaultVerify(kernel, va, found)
    if (verdict === 'changed' || verdict === 'gone') {
      yield* releasePage(kernel, slot, object)
      if (verdict === 'gone') return false
      continue
    }
    if (changeWiring) {
      yield* atomically(() => {
        if (verdict === 'wired') slot.page.wirings += 1
        else {
          m.assert(slot.page.wirings !== 0, 'a page that is unwired was wired')
          slot.page.wirings -= 1
        }
      })
    }
    yield* map.lock.release()
    yield* releasePage(kernel, slot, object)
    return true
  }
}

/**
 * The second half of vm_fault: with the page busy, takes the read lock and keeps it once the map is as it was looked
 * up last; looks up again while it is not. Tells whether the entry is wired, or that it is gone or maps something else.
 */
function* vmFaultVerify(kernel: Kernel, va: number, found: Mapping): Program<'wired' | 'unwired' | 'changed' | 'gone'> {
  let { wired } = found
  while (!(yield* vmMapVerify(kernel))) {
    const again = yield* vmMapLookupAgain(kernel, va)
    if (!again) return 'gone'
    if (again.object !== found.object || again.offset !== found.offset) return 'changed'
    wired = again.wired
  }
  return wired ? 'wired' : 'unwired'
}

/** What a look-up found. */
interface Mapping {
  readonly object: Instance<VmObject>
  readonly offset: number
  /** Whether the entry was wired. */
  readonly wired: boolean
}

/** vm_map_lookup: what maps `va`, with a reference to the object; an object is made where there is none. */
function* vmMapLookup({ map, store }: Kernel, va: number): Program<Mapping | null> {
  for (;;) {
    yield* map.lock.read()
    const entry = map.lookup(va)
    if (!entry) {
      yield* map.lock.release()
      return null
    }
    if (!entry.object) {
      if (!(yield* map.lock.upgrade())) continue
      yield* atomically(() => {
        entry.object = store.allocate()
        entry.offset = 0
      })
      yield* map.lock.downgrade()
      yield* map.lock.release()
      continue
    }
    map.rememberVersion()
    const { object, wired } = entry
    const offset = entry.offset + va - entry.start
    yield* atomically(() => {
      store.reference(object)
      object.paging += 1
    })
    yield* map.lock.release()
    return { object, offset, wired: wired !== 0 }
  }
}

/** The second look-up of a fault whose map has changed: it holds its page meanwhile, and asks for no write access. */
function* vmMapLookupAgain(
  { map }: Kernel,
  va: number,
): Program<(Omit<Mapping, 'object'> & { readonly object: Instance<VmObject> | null }) | null> {
  yield* map.lock.read()
  const entry = map.lookup(va)
  const found = entry && { object: entry.object, offset: entry.offset + va - entry.start, wired: entry.wired !== 0 }
  map.rememberVersion()
  yield* map.lock.release()
  return found
}

/** vm_map_verify: takes the read lock and keeps it if the map has not changed since the look-up. */
function* vmMapVerify({ map }: Kernel): Program<boolean> {
  yield* map.lock.read()
  if (map.isVersionCurrent) return true
  yield* map.lock.release()
  return false
}

/** vm_fault_page: waits until the page is not busy, brings it in if it is missing, and makes it busy. */
function* vmFaultPage({ store, pager }: Kernel, slot: PageSlot): Program {
  const { page } = slot
  for (;;) {
    const isMine = yield* atomically(() => {
      if (page.busy) {
        store.assertWait(slot)
        return false
      }
      if (pager && !page.resident) {
        pager.request(slot)
        store.assertWait(slot)
        return false
      }
      page.resident = true
      store.makeBusy(page)
      return true
    })
    if (isMine) return
    yield* slot.event.block()
  }
}

/** vm_fault_unwire: takes the wiring off the pages of an entry, which the caller keeps from changing: by the map's write lock, in the kernel. */
export function* vmFaultUnwire({ m, store }: Kernel, entry: Entry): Program {
  let page = 0
  for (;;) {
    const outcome = yield* atomically(() => {
      const { object, offset, start, end } = entry
      const slot = object && store.lookup(object, offset + page)
      m.assert(slot !== null, 'a page that is unwired is resident')
      if (slot?.page.busy) {
        store.assertWait(slot)
        return slot
      }
      if (slot) {
        m.assert(slot.page.wirings !== 0, 'a page that is unwired was wired')
        slot.page.wirings -= 1
      }
      return start + page + 1 < end ? 'next' : 'last'
    })
    if (outcome === 'last') return
    if (outcome === 'next') page++
    else yield* outcome.event.block()
  }
}
