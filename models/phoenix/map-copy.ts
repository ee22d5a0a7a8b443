// Phoenix-RTOS vm/map.c: protecting, copying and destroying, and the fault on a write.
import { type Instance, type Program, atomically } from 'vmcheck'
import { amapGetanons, amapPutanons, amapReference } from './amap.ts'
import { type Entry, type Kernel, type VmMap, entriesOf } from './kernel.ts'
import { type Code, entryPut, insertEntry, mapAlloc, mapForce, pmapRemove } from './map.ts'

/** vm_mprotect of one entry that needs a copy, to read and write. In the kernel it returns what became of the last page. */
export function* vmMprotect(kernel: Kernel, map: VmMap, entry: Instance<Entry>): Program<Code> {
  const { protectFix } = kernel
  yield* map.lock.acquire()
  entry.prot = 'rw'
  let code: Code = 'ok'
  for (let page = entry.vaddr; page < entry.vaddr + entry.size; page++) {
    const forced = yield* mapForce(kernel, map, entry, page, 'rw')
    if (!protectFix || code === 'ok') code = forced
  }
  yield* map.lock.release()
  return code
}

/** vm_mapCopy: fork copies the parent's map, sharing anonymous pages until they are written. No other actor knows the child's map yet, so that proc_lockSet2 never has to back off. */
export function* vmMapCopy(kernel: Kernel, destination: VmMap, source: VmMap): Program<Code> {
  const { copyFix } = kernel
  yield* source.lock.acquire()
  yield* destination.lock.acquire()
  for (const entry of entriesOf(source)) {
    const copy = yield* mapAlloc(kernel)
    if (!copy) {
      yield* releaseBoth(source, destination)
      yield* vmMapDestroy(kernel, destination)
      return 'ENOMEM'
    }
    yield* shareEntry(kernel, destination, entry, copy)
    if (!copyFix && entry.needsCopy) yield* writeProtect(source, entry)
    for (let page = entry.vaddr; page < entry.vaddr + entry.size; page++) {
      const forced = yield* mapForce(kernel, destination, copy, page, copy.prot)
      if (forced === 'ok') {
        if (!copyFix) yield* mapForce(kernel, source, entry, page, entry.prot)
        continue
      }
      yield* releaseBoth(source, destination)
      if (copyFix) yield* vmMapDestroy(kernel, destination)
      return forced
    }
  }
  yield* releaseBoth(source, destination)
  return 'ok'
}

function* releaseBoth(source: VmMap, destination: VmMap): Program {
  yield* destination.lock.release()
  yield* source.lock.release()
}

/** The child's entry is the parent's: amap and anons get one more reference, and the first that writes copies. */
export function* shareEntry(
  kernel: Kernel,
  destination: VmMap,
  entry: Instance<Entry>,
  copy: Instance<Entry>,
): Program {
  const { vaddr, size, prot, protOrig, needsCopy, object, amap, aoffs, physical } = entry
  Object.assign(copy, {
    vaddr,
    size,
    prot,
    protOrig,
    needsCopy,
    object,
    amap,
    aoffs,
    physical,
  } satisfies Partial<Entry>)
  if (amap) {
    yield* amapReference(kernel, amap)
    yield* amapGetanons(kernel, amap, aoffs, size)
  }
  if (entry.protOrig === 'rw') {
    entry.needsCopy = true
    copy.needsCopy = true
  }
  insertEntry(destination, copy)
}

/** Before 4c1f9184: what the source has mapped becomes read-only until the copy is made. */
function* writeProtect({ pmap }: VmMap, entry: Instance<Entry>): Program {
  yield* atomically(() => {
    for (let page = entry.vaddr; page < entry.vaddr + entry.size; page++) {
      const found = pmap.translation(page)
      if (found) pmap.set(page, found.frame, false)
    }
  })
}

/** vm_mapDestroy: a map that no CPU uses any more. */
export function* vmMapDestroy(kernel: Kernel, map: VmMap): Program {
  yield* pmapRemove(map, map.start, map.stop)
  for (const entry of entriesOf(map)) {
    if (entry.amap) yield* amapPutanons(kernel, entry.amap, entry.aoffs, entry.size)
    yield* entryPut(kernel, map, entry)
  }
}

/** vm_mapFault on a write: whether the page may be written afterwards; if not, the process gets a signal. */
export function* vmMapFault(kernel: Kernel, map: VmMap, page: number): Program<boolean> {
  const isWritable = yield* atomically(() => map.pmap.translation(page)?.writable ?? false)
  if (isWritable) return true
  yield* map.lock.acquire()
  const entry = entriesOf(map).find(({ vaddr, size }) => vaddr <= page && page < vaddr + size)
  const code = entry ? yield* mapForce(kernel, map, entry, page, 'rw') : 'ENOMEM'
  yield* map.lock.release()
  return code === 'ok'
}
