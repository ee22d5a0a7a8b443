// What must hold in Phoenix-RTOS when no one is running.
import { type Instance, type PropertyResult, type Machine, oneOf, struct } from 'vmcheck'
import {
  type Holding,
  all,
  countsEqualReferences,
  locksAreFree,
  noFrameLeaked,
  noTranslationToFree,
  nothingHeldIsFree,
  sameAs,
} from 'vmcheck/vm'
import { type Amap, type Anon, type Entry, type Kernel, type VmMap, entriesOf, slotOf } from './kernel.ts'

/** What the call of a scenario returned. */
export const ResultStruct = struct<{ code: 'none' | 'ok' | 'ENOMEM' }>('result', {
  code: oneOf('none', 'ok', 'ENOMEM'),
})

function show(map: VmMap, { vaddr, size }: Instance<Entry>): string {
  return `${map.name} [${vaddr},${vaddr + size})`
}

function entries(kernel: Kernel): (readonly [VmMap, Instance<Entry>])[] {
  return kernel.maps.flatMap((map) => entriesOf(map).map((entry) => [map, entry] as const))
}

/** The anons in the slots that entries cover. */
function anonHoldings(kernel: Kernel): Holding<Instance<Anon>>[] {
  return entries(kernel).flatMap(([map, entry]) => {
    const { amap } = entry
    if (!amap || !kernel.amaps.isAllocated(amap)) return []
    return Array.from({ length: entry.size }, (_, i) => slotOf(kernel, amap, entry.aoffs + i).anon).flatMap((anon, i) =>
      anon ? [[anon, `page ${entry.vaddr + i} of ${show(map, entry)}`] as const] : [],
    )
  })
}

function amapHoldings(kernel: Kernel): Holding<Instance<Amap>>[] {
  return entries(kernel).flatMap(([map, entry]) => (entry.amap ? [[entry.amap, show(map, entry)] as const] : []))
}

/** The reference counts of anons and amaps are those of their users. */
function referencesAreCounted(kernel: Kernel): PropertyResult {
  const { anons, amaps } = kernel
  const [anonsHeld, amapsHeld] = [anonHoldings(kernel), amapHoldings(kernel)]
  return all(
    nothingHeldIsFree((amap) => amaps.isAllocated(amap), amapsHeld),
    nothingHeldIsFree((anon) => anons.isAllocated(anon), anonsHeld),
    countsEqualReferences(
      amaps.instances.filter((amap) => amaps.isAllocated(amap)),
      ({ refs }) => refs,
      amapsHeld,
    ),
    countsEqualReferences(
      anons.instances.filter((anon) => anons.isAllocated(anon)),
      ({ refs }) => refs,
      anonsHeld,
    ),
  )
}

/** Every allocated frame has an owner, and every allocated entry is in a map. */
function nothingLeaked(kernel: Kernel): PropertyResult {
  const { anons, frames } = kernel
  const held = anonHoldings(kernel).flatMap(([anon, holder]) =>
    anons.isAllocated(anon) && anon.page ? [[anon.page, holder] as const] : [],
  )
  const physical = entries(kernel).flatMap(([map, entry]) =>
    entry.physical ? [[entry.physical, show(map, entry)] as const] : [],
  )
  const lost = kernel.entries.instances.find(
    (entry) => kernel.entries.isAllocated(entry) && !entries(kernel).some(([, other]) => other === entry),
  )
  return all(noFrameLeaked(frames, [...held, ...physical]), lost ? `${lost.name} is allocated, and in no map` : true)
}

/** Every page mapped is an entry's, and the one in its slot. */
function pageTablesMatch(kernel: Kernel): PropertyResult {
  for (const map of kernel.maps) {
    for (let page = map.start; page < map.stop; page++) {
      const mapped = map.pmap.translation(page)
      if (!mapped) continue
      const entry = entriesOf(map).find(({ vaddr, size }) => vaddr <= page && page < vaddr + size)
      if (!entry) return `${map.pmap.name} maps page ${page} to ${mapped.frame.name}, and no entry covers it`
      const anon = entry.amap ? slotOf(kernel, entry.amap, entry.aoffs + page - entry.vaddr).anon : null
      const expected = anon && kernel.anons.isAllocated(anon) ? anon.page : entry.physical
      if (mapped.frame !== expected)
        return `${map.pmap.name} maps page ${page} to ${mapped.frame.name}, and its slot holds ${expected?.name ?? 'nothing'}`
    }
  }
  return true
}

/** A map in words: entries, the frames of their slots and what the page table allows; with `strict` whether entries need a copy. */
export function describe(kernel: Kernel, map: VmMap, strict = false): string {
  const ofEntry = (entry: Instance<Entry>): string => {
    const { vaddr, size, prot, amap, aoffs } = entry
    const slots = Array.from({ length: size }, (_, i) => {
      const anon = amap ? slotOf(kernel, amap, aoffs + i).anon : null
      return anon ? `${anon.name}${kernel.anons.isAllocated(anon) ? `x${anon.refs}` : ' freed'}` : '-'
    })
    return `[${vaddr},${vaddr + size}) ${prot}${strict && entry.needsCopy ? ' needs copy' : ''} ${slots.join(' ')}`
  }
  const pages = map.pmap.entries.map((_, page) => map.pmap.translation(page))
  const table = pages.flatMap((found, page) =>
    found ? [`${page}:${found.frame.name}${found.writable ? ' rw' : ' r'}`] : [],
  )
  return `${entriesOf(map).map(ofEntry).join('; ')} | ${table.join(', ')}`
}

/** The properties that every scenario of this folder has, for when all is done. */
export function properties(m: Machine, kernel: Kernel): void {
  m.atRest('references are counted', () => referencesAreCounted(kernel))
  m.atRest('nothing is leaked', () => nothingLeaked(kernel))
  m.atRest('page tables map what the slots hold', () => pageTablesMatch(kernel))
  m.atRest('no page table leads to a free frame', () => noTranslationToFree(kernel.maps.map(({ pmap }) => pmap)))
  m.atRest('no lock is held', () =>
    locksAreFree([...kernel.maps.map(({ lock }) => lock), ...kernel.amapLocks, ...kernel.anonLocks]),
  )
}

/** A call that fails leaves a map as it was. To be asked for in machine(), where the map is as it was. */
export function unchangedOnFailure(
  m: Machine,
  kernel: Kernel,
  map: VmMap,
  result: { readonly code: string },
  name: string,
  strict = false,
): void {
  const before = describe(kernel, map, strict)
  m.atRest(name, () => result.code !== 'ENOMEM' || sameAs(before, describe(kernel, map, strict)))
}

/** Success is returned only when nothing failed, and failure only when something did. */
export function failuresAreReported(m: Machine, { budget }: Kernel, result: { readonly code: string }): void {
  m.atRest(
    'a failure is reported, and nothing else',
    () =>
      (result.code === 'ENOMEM') === budget.hasStruck ||
      `${budget.hasStruck ? 'an allocation failed' : 'no allocation failed'}, and the call returned ${result.code}`,
  )
}

/** A page still shows what it showed at first. */
export function dataIsKept(m: Machine, kernel: Kernel, map: VmMap, pages: readonly number[]): void {
  const show = (page: number): string => {
    const frame = map.pmap.translation(page)?.frame
    if (!frame) return 'nothing'
    if (!kernel.frames.isAllocated(frame)) return 'a free frame'
    const entry = entriesOf(map).find(({ vaddr, size }) => vaddr <= page && page < vaddr + size)
    const anon = entry?.amap ? slotOf(kernel, entry.amap, entry.aoffs + page - entry.vaddr).anon : null
    const slot = anon && kernel.anons.isAllocated(anon) ? anon.page : null
    return `${frame.content} by its page table and ${slot && kernel.frames.isAllocated(slot) ? slot.content : 'nothing'} by its slot`
  }
  const before = pages.map(show)
  m.atRest('a call that fails loses no data', () => {
    const page = pages.find((at, i) => show(at) !== before[i])
    return (
      page === undefined || `page ${page} of ${map.name} held ${before[pages.indexOf(page)]}, and holds ${show(page)}`
    )
  })
}

/** After a fork that succeeded, the child has what the parent has. */
export function childHasTheData(m: Machine, kernel: Kernel, result: { readonly code: string }): void {
  const [parent, child] = kernel.maps
  m.atRest('a child has what its parent has', () => {
    if (!parent || !child || result.code !== 'ok') return true
    const page = entriesOf(child)
      .map(({ vaddr, size }) => Array.from({ length: size }, (_, i) => vaddr + i))
      .flat()
      .find((at) => child.pmap.translation(at)?.frame.content !== parent.pmap.translation(at)?.frame.content)
    return (
      page === undefined ||
      `page ${page} holds ${child.pmap.translation(page)?.frame.content ?? 'nothing'} in ${child.name}, and ${parent.pmap.translation(page)?.frame.content ?? 'nothing'} in ${parent.name}`
    )
  })
}

/** Memory that each side of a fork may write is not the same frame. */
export function copiesArePrivate(m: Machine, kernel: Kernel): void {
  const [parent, child] = kernel.maps
  m.atRest('writes after a fork are private', () => {
    if (!parent || !child) return true
    const shared = entriesOf(child).find((entry) => {
      if (entry.object === 'device memory') return false
      const [mine, theirs] = [child.pmap.translation(entry.vaddr), parent.pmap.translation(entry.vaddr)]
      return mine !== null && mine.writable && mine.frame === theirs?.frame
    })
    return (
      !shared ||
      `page ${shared.vaddr} is ${child.pmap.translation(shared.vaddr)?.frame.name} for both processes, and the child may write it`
    )
  })
}
