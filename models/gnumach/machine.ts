// The map, its memory and the properties that the models of this folder share.
import type { Instance, PropertyResult, Machine } from 'vmcheck'
import { KernelMap, PageStore, type VmObject } from 'vmcheck/vm'
import { type Kernel, Window } from './kernel.ts'

/** An entry before anything runs. */
export interface InitialEntry {
  readonly start: number
  readonly end: number
  readonly wired?: boolean
  /** Whether it maps the object that all such entries share. */
  readonly sharedObject?: boolean
  /** Whether it maps data that was sent to a pager. */
  readonly pageout?: boolean
  readonly inheritance?: number
}

/** How much there is of everything. */
export interface Setting {
  readonly name: string
  readonly entries: number
  readonly objects: number
  readonly pages: number
  readonly initial: readonly InitialEntry[]
}

/** The map and its memory before anything runs. */
export function setUp(
  m: Machine,
  { name, entries, objects, pages, initial }: Setting,
): Pick<Kernel, 'map' | 'store' | 'windows'> {
  const store = new PageStore(m, { objects, pages })
  const map = new KernelMap(m, name, { entries, store })
  let shared: Instance<VmObject> | null = null
  let last: ReturnType<KernelMap['insert']> | null = null
  for (const { start, end, wired = false, sharedObject = false, pageout = false, inheritance = 0 } of initial) {
    if (sharedObject && shared) store.reference(shared)
    const object = sharedObject ? (shared ??= store.allocate()) : pageout ? store.allocate() : null
    last = map.insert(last, {
      start,
      end,
      wired: wired ? 1 : 0,
      inTransition: false,
      needsWakeup: false,
      object,
      offset: object ? start : 0,
      inheritance,
    })
    if (object && pageout) object.usedForPageout = true
    if (object && wired)
      for (let page = start; page < end; page++)
        Object.assign(store.slot(object, page).page, { resident: true, wirings: 1 })
  }
  return { map, store, windows: m.perActor(Window, 'window') }
}

/** Each page has as many wirings as there are wired entries that map it. */
export function noWiringLeaks({ map, store }: Pick<Kernel, 'map' | 'store'>): PropertyResult {
  for (const [number, row] of store.slots.entries()) {
    const object = store.objects.instances[number]
    for (const [offset, { page }] of row.entries()) {
      const wired = map
        .list()
        .filter(
          (entry) =>
            entry.object === object &&
            entry.wired > 0 &&
            offset >= entry.offset &&
            offset < entry.offset + entry.end - entry.start,
        )
      if (page.wirings !== wired.length)
        return `${page.name} has ${page.wirings} wirings, and ${wired.length} wired entries map it`
    }
  }
  return true
}

/** The properties of every model of this folder. */
export function properties(m: Machine, kernel: Kernel): void {
  const { map } = kernel
  m.invariant(
    'entries are in order and do not overlap',
    () => map.list().every((entry) => entry.start < entry.end && (!entry.next || entry.end <= entry.next.start)),
    { whenFree: map.lock },
  )
  m.atRest('no page keeps a wiring that no entry has', () => noWiringLeaks(kernel))
  m.atRest('the map lock is free', () => map.lock.isFree)
}

/** P7: no entry stays in transition. */
export function nothingInTransition({ map }: Pick<Kernel, 'map'>): PropertyResult {
  const left = map.list().find(({ inTransition, needsWakeup }) => inTransition || needsWakeup)
  return left
    ? `${left.name} [${left.start},${left.end}) is still ${left.inTransition ? 'in transition' : 'waited for'}`
    : true
}
