// Phoenix-RTOS vm/amap.c and vm/object.c: anonymous pages, their sharing and their copies.
import { type Instance, type Program, atomically } from 'vmcheck'
import type { Frame } from 'vmcheck/vm'
import {
  AMAP_SLOTS,
  type Amap,
  type Anon,
  type Entry,
  type Kernel,
  allocate,
  lockOfAmap,
  lockOfAnon,
  openWindow,
  pageAlloc,
  pageFree,
  slotOf,
} from './kernel.ts'

/** What looking for a page comes to. Before fe19ab6e a failure was told by the missing page alone. */
export interface PageResult {
  readonly code: 'ok' | 'ENOMEM'
  readonly page: Instance<Frame> | null
}

const ENOMEM: PageResult = { code: 'ENOMEM', page: null }

/** amap_putanons: drops the references that one entry has to the anons of some slots. The slots keep their pointers. */
export function* amapPutanons(kernel: Kernel, amap: Instance<Amap>, from: number, count: number): Program {
  const { m, anons, frames } = kernel
  const lock = lockOfAmap(kernel, amap)
  yield* lock.acquire()
  for (let i = from; i < from + count; i++) {
    const index = i
    const { anon } = slotOf(kernel, amap, index)
    if (!anon) continue
    m.assert(
      () => anons.isAllocated(anon) || `${anon.name} in slot ${index} of ${amap.name} is free already`,
      'no page is put twice',
    )
    const anonLock = lockOfAnon(kernel, anon)
    yield* anonLock.acquire()
    yield* atomically(() => {
      anon.refs -= 1
      if (anon.refs > 0) return
      if (anon.page) frames.release(anon.page)
      anons.free(anon)
    })
    yield* anonLock.release()
  }
  yield* lock.release()
}

/** amap_getanons: one more reference to each anon of some slots. */
export function* amapGetanons(kernel: Kernel, amap: Instance<Amap>, from: number, count: number): Program {
  const lock = lockOfAmap(kernel, amap)
  yield* lock.acquire()
  for (let i = from; i < from + count; i++) {
    const { anon } = slotOf(kernel, amap, i)
    if (!anon) continue
    const anonLock = lockOfAnon(kernel, anon)
    yield* anonLock.acquire()
    anon.refs += 1
    yield* anonLock.release()
  }
  yield* lock.release()
}

/** amap_ref: one more entry uses an amap. */
export function* amapReference(kernel: Kernel, amap: Instance<Amap>): Program<Instance<Amap>> {
  const lock = lockOfAmap(kernel, amap)
  yield* lock.acquire()
  amap.refs += 1
  yield* lock.release()
  return amap
}

/** amap_put: an entry gives its amap up; the last one frees it. */
export function* amapPut(kernel: Kernel, amap: Instance<Amap>): Program {
  const lock = lockOfAmap(kernel, amap)
  yield* lock.acquire()
  amap.refs -= 1
  const isLast = amap.refs === 0
  yield* lock.release()
  if (isLast) yield* atomically(() => kernel.amaps.free(amap))
}

/** amap_clear: the slots of new memory hold nothing; what earlier memory left there is not put. */
export function* amapClear(kernel: Kernel, amap: Instance<Amap>, from: number, count: number): Program {
  const lock = lockOfAmap(kernel, amap)
  yield* lock.acquire()
  for (let i = from; i < from + count; i++) slotOf(kernel, amap, i).anon = null
  yield* lock.release()
}

/** amap_create: an amap that the entry need not share, with the anons of its slots; null without memory. */
export function* amapCreate(kernel: Kernel, entry: Instance<Entry>): Program<Instance<Amap> | null> {
  const { amaps, refsFix } = kernel
  const { amap, aoffs, size } = entry
  if (!amap) {
    const fresh = yield* allocate(kernel, 'an amap', () => amaps.allocate({ refs: 1 }))
    if (fresh) for (let i = 0; i < AMAP_SLOTS; i++) slotOf(kernel, fresh, i).anon = null
    return fresh
  }
  const lock = lockOfAmap(kernel, amap)
  yield* lock.acquire()
  if (amap.refs === 1) {
    yield* lock.release()
    return amap
  }
  if (!refsFix) amap.refs -= 1
  const copy = yield* allocate(kernel, 'an amap', () => amaps.allocate({ refs: 1 }))
  if (copy) {
    for (let i = 0; i < AMAP_SLOTS; i++)
      slotOf(kernel, copy, i).anon = i < size ? slotOf(kernel, amap, aoffs + i).anon : null
    if (refsFix) amap.refs -= 1
    entry.aoffs = 0
  }
  yield* lock.release()
  return copy
}

/** amap_page: the page of a slot, a private copy of it if it is to be written, a new one if there is none. */
export function* amapPage(
  kernel: Kernel,
  entry: Instance<Entry>,
  amap: Instance<Amap>,
  index: number,
  prot: 'r' | 'rw',
): Program<PageResult> {
  const lock = lockOfAmap(kernel, amap)
  yield* lock.acquire()
  const slot = slotOf(kernel, amap, index)
  const { anon } = slot
  const result = anon ? yield* sharedPage(kernel, slot, anon, prot) : yield* firstPage(kernel, slot, entry)
  yield* lock.release()
  return result
}

/** amap_page where the slot has an anon: its page, or a copy. */
function* sharedPage(
  kernel: Kernel,
  slot: { anon: Instance<Anon> | null },
  anon: Instance<Anon>,
  prot: 'r' | 'rw',
): Program<PageResult> {
  const { refsFix, anonFix, lockFix, anons } = kernel
  const lock = lockOfAnon(kernel, anon)
  yield* lock.acquire()
  const { page, refs } = anon
  if (!page || refs === 1 || prot === 'r') {
    yield* lock.release()
    return { code: 'ok', page }
  }
  if (!refsFix) anon.refs -= 1
  const copy = yield* copyPage(kernel, page)
  if (!copy) {
    if (lockFix) yield* lock.release()
    return ENOMEM
  }
  const early = anonFix ? yield* allocate(kernel, 'an anon', () => anons.allocate({ refs: 1, page: copy })) : null
  if (anonFix && !early) {
    yield* lock.release()
    yield* pageFree(kernel, copy)
    return ENOMEM
  }
  if (refsFix) anon.refs -= 1
  yield* lock.release()
  if (!early) return yield* installAnon(kernel, slot, copy)
  slot.anon = early
  return { code: 'ok', page: copy }
}

/** amap_page where the slot is empty: a new page, or a copy of the object's. */
function* firstPage(
  kernel: Kernel,
  slot: { anon: Instance<Anon> | null },
  entry: Instance<Entry>,
): Program<PageResult> {
  const { leakFix } = kernel
  const found = yield* vmObjectPage(kernel, entry)
  if (!found.page) return found
  if (entry.object === 'physmem') {
    const copy = yield* copyPage(kernel, found.page)
    return copy ? yield* installAnon(kernel, slot, copy) : ENOMEM
  }
  if (!(yield* openWindow(kernel))) {
    if (leakFix) yield* pageFree(kernel, found.page)
    return ENOMEM
  }
  return yield* installAnon(kernel, slot, found.page)
}

/** A copy of a page, made through two windows of the kernel's map; null without memory. */
function* copyPage(kernel: Kernel, page: Instance<Frame>): Program<Instance<Frame> | null> {
  if (!(yield* openWindow(kernel))) return null
  const copy = yield* pageAlloc(kernel)
  if (!copy) return null
  if (!(yield* openWindow(kernel))) {
    yield* pageFree(kernel, copy)
    return null
  }
  yield* atomically(() => {
    copy.content = page.content
  })
  return copy
}

/** The end of amap_page: a page becomes the slot's; without memory for its anon the slot is empty and the page freed. */
function* installAnon(
  kernel: Kernel,
  slot: { anon: Instance<Anon> | null },
  page: Instance<Frame>,
): Program<PageResult> {
  slot.anon = yield* allocate(kernel, 'an anon', () => kernel.anons.allocate({ refs: 1, page }))
  if (slot.anon) return { code: 'ok', page }
  yield* pageFree(kernel, page)
  return ENOMEM
}

/** vm_objectPage: a new page for anonymous memory; for physical memory the page, or none where the kernel manages none. */
export function* vmObjectPage(kernel: Kernel, entry: Instance<Entry>): Program<PageResult> {
  if (entry.object === 'physmem') return { code: 'ok', page: entry.physical }
  if (entry.object === 'device memory') return { code: 'ok', page: null }
  const page = yield* pageAlloc(kernel)
  return page ? { code: 'ok', page } : ENOMEM
}
