import { type Actor, type Instance, type Machine, type Pool, actors, bool, holding, ref, struct, u } from 'vmcheck'
import { WaitChannel } from './wait-channel.ts'
import { checkNumber, checkOptions } from './options.ts'

/** A page frame that belongs to an object (Mach: vm_page). Touched in atomic sections, which stand for the object's spin lock. */
export interface Page {
  /** Whether the object has the page. */
  resident: boolean
  /** Long-term lock of the page, kept while the object is unlocked. */
  busy: boolean
  /** Somebody sleeps until it is not busy. */
  wanted: boolean
  /** Number of wirings. */
  wirings: number
  /** The actor that made it busy (for diagnosis; the kernel does not record it). */
  busyBy: Actor | null
}

/** A page with the event that its waiters sleep on. */
export interface PageSlot {
  /** The page. */
  readonly page: Instance<Page>
  /** The channel that threads sleep on while the page is busy. */
  readonly event: WaitChannel
}

/** Memory that map entries map (Mach: vm_object). */
export interface VmObject {
  /** Number of references to it. */
  references: number
  /** Faults running on it (paging_in_progress). */
  paging: number
  /** Its data was sent to a pager, which says that it is done by unmapping it: it is never extended (used_for_pageout). */
  usedForPageout: boolean
}

const PageStruct = struct<Page>('page', {
  resident: bool,
  busy: bool,
  wanted: bool,
  wirings: u(3),
  busyBy: holding(ref(actors)),
})

/** The struct of {@link VmObject}, as the target of references. */
export const VmObjectStruct = struct<VmObject>('object', { references: u(3), paging: u(3), usedForPageout: bool })

/** The size of a page store. */
export interface PageStoreOptions {
  /** Objects alive at once. */
  readonly objects: number
  /** Pages of each object. */
  readonly pages: number
}

/** Objects and their pages. All methods belong in atomic sections: they stand for code under the object's spin lock. */
export class PageStore {
  /** The objects. */
  readonly objects: Pool<VmObject>
  /** By object, then offset. */
  readonly slots: readonly (readonly PageSlot[])[]
  readonly #m: Machine

  constructor(m: Machine, options: PageStoreOptions) {
    checkOptions('a page store', options, ['objects', 'pages'])
    const { objects, pages } = options
    checkNumber('pages of a page store', pages, 1, 65_536)
    this.#m = m
    this.objects = m.pool(VmObjectStruct, objects, 'object')
    this.slots = Array.from({ length: objects }, (_, object) =>
      Array.from({ length: pages }, (_unused, offset) => {
        const page = m.struct(PageStruct, `page[${object}.${offset}]`)
        const event = new WaitChannel(m, `${page.name}.event`, () => (page.busyBy ? [page.busyBy] : []))
        return { page, event }
      }),
    )
  }

  /** Every page. */
  get all(): readonly PageSlot[] {
    return this.slots.flat()
  }

  /** The page of an object at an offset, resident or not. */
  slot(object: Instance<VmObject>, offset: number): PageSlot {
    const found = this.slots[this.objects.instances.indexOf(object)]?.[offset]
    if (!found) throw new RangeError(`${object.name} has no page at offset ${offset}`)
    return found
  }

  /** vm_page_lookup: the page when it is resident. */
  lookup(object: Instance<VmObject>, offset: number): PageSlot | null {
    const found = this.slots[this.objects.instances.indexOf(object)]?.[offset]
    return found?.page.resident ? found : null
  }

  /** vm_object_allocate: an object with one reference. */
  allocate(): Instance<VmObject> {
    const object = this.objects.allocate({ references: 1, usedForPageout: false })
    if (!object) throw new Error('the page store has too few objects for this model')
    return object
  }

  /** vm_object_reference */
  reference(object: Instance<VmObject>): void {
    object.references += 1
  }

  /** vm_object_deallocate: the last reference frees the object and its pages. */
  deallocate(object: Instance<VmObject>): void {
    object.references -= 1
    if (object.references > 0) return
    for (const { page } of this.slots[this.objects.instances.indexOf(object)] ?? []) this.freePage(page)
    this.objects.free(object)
  }

  /** vm_page_free */
  freePage(page: Instance<Page>): void {
    this.#m.assert(() => !page.busy || page.busyBy === this.#m.self, 'a busy page is freed only by its owner')
    page.resident = false
    page.busy = false
    page.busyBy = null
    page.wanted = false
    page.wirings = 0
  }

  /** The caller makes a page its own until {@link wakeupDone}. */
  makeBusy(page: Instance<Page>): void {
    page.busy = true
    page.busyBy = this.#m.self
  }

  /** PAGE_ASSERT_WAIT: the caller is going to sleep until the page is not busy. */
  assertWait({ page, event }: PageSlot): void {
    page.wanted = true
    event.enlist()
  }

  /** PAGE_WAKEUP_DONE: the page is not busy any more; threads that want it are woken. */
  wakeupDone({ page, event }: PageSlot): void {
    page.busy = false
    page.busyBy = null
    if (!page.wanted) return
    page.wanted = false
    event.wakeAll()
  }
}
