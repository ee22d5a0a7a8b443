import {
  type Instance,
  type Machine,
  type PerActor,
  type Pool,
  type Program,
  type Reuse,
  type StructType,
  bool,
  published,
  range,
  ref,
  struct,
  u,
} from 'vmcheck'
import { type PageStore, type VmObject, VmObjectStruct } from './page-store.ts'
import { SleepLock } from './sleep-lock.ts'
import { WaitChannel } from './wait-channel.ts'
import { checkOptions } from './options.ts'

/** A region of a map (Mach: vm_map_entry). Written under the map's lock, some fields also read without it. */
export interface MapEntry {
  /** First page. */
  start: number
  /** Page after the last. */
  end: number
  /** The next entry of the map; null for the last. */
  next: Instance<MapEntry> | null
  /** 0, 1 or 2: saturates, and is reset rather than decreased. */
  wired: number
  /** Whether the entry is being changed without the map's lock (in_transition). */
  inTransition: boolean
  /** Whether a thread waits for the end of that (needs_wakeup). */
  needsWakeup: boolean
  /** The object that is mapped; null for none. */
  object: Instance<VmObject> | null
  /** Page of the object that `start` maps. */
  offset: number
  /** Stands for all attributes that must be equal for entries to merge. */
  inheritance: number
}

interface MapState {
  /** First entry in order of addresses. */
  first: Instance<MapEntry> | null
}

const PAGE = range(0, 15)

/** The struct of {@link MapEntry}. */
export const MapEntryStruct: StructType<MapEntry> = struct<MapEntry>('entry', {
  start: published(PAGE),
  end: published(PAGE),
  next: published(ref<Instance<MapEntry>>(() => MapEntryStruct)),
  wired: published(u(2)),
  inTransition: published(bool),
  needsWakeup: published(bool),
  object: published(ref(VmObjectStruct)),
  offset: published(PAGE),
  inheritance: published(u(1)),
})

const MapStruct = struct<MapState>('map', { first: published(ref(MapEntryStruct)) })

/** Per thread: whether the map is as it was when the thread last looked (equality of timestamps). */
const VersionStruct = struct<{ current: boolean }>('version', { current: bool })

/** The options of a map. */
export interface KernelMapOptions {
  /** Entries alive at once, or with `reuse: 'never'` ever made. */
  readonly entries: number
  /** The objects and pages that entries refer to. */
  readonly store: PageStore
  /** The choice of the next free entry. */
  readonly reuse?: Reuse
}

/**
 * An address map: a sorted list of entries under a sleeping lock. Its methods that edit the list belong in atomic
 * sections of a thread that holds the lock: threads that walk the list without the lock see it before or after an
 * edit.
 */
export class KernelMap {
  /** Its name, in traces and messages. */
  readonly name: string
  /** The map's lock. */
  readonly lock: SleepLock
  /** The objects and pages that entries refer to. */
  readonly store: PageStore
  /** The map's entries. */
  readonly entries: Pool<MapEntry>
  /** The event of threads that wait for an entry in transition (&map->hdr). */
  readonly inTransitionEvent: WaitChannel
  readonly #m: Machine
  readonly #state: Instance<MapState>
  readonly #versions: PerActor<{ current: boolean }>

  constructor(m: Machine, name: string, options: KernelMapOptions) {
    checkOptions(`map ${name}`, options, ['entries', 'store', 'reuse'])
    this.name = name
    this.#m = m
    this.store = options.store
    this.lock = new SleepLock(m, `${name}.lock`)
    this.entries = m.pool(MapEntryStruct, options.entries, 'entry', { reuse: options.reuse ?? 'lowest' })
    this.inTransitionEvent = new WaitChannel(m, `${name}.hdr`)
    this.#state = m.struct(MapStruct, name)
    this.#versions = m.perActor(VersionStruct, `${name}.version`)
  }

  /** vm_map_lock: the write lock; the map counts as changed for every actor. */
  *lockMap(): Program {
    yield* this.lock.write()
    for (const version of this.#versions.all) version.current = false
  }

  /** Under the read lock: remembers the map's timestamp. */
  rememberVersion(): void {
    this.#version.current = true
  }

  /** Under the read lock: whether the timestamp is still the one remembered. */
  get isVersionCurrent(): boolean {
    return this.#version.current
  }

  get #version(): Instance<{ current: boolean }> {
    return this.#versions.of(this.#m.self)
  }

  /** The entries in order of addresses. */
  list(): Instance<MapEntry>[] {
    const found: Instance<MapEntry>[] = []
    for (let entry = this.#state.first; entry; entry = entry.next) found.push(entry)
    return found
  }

  /** vm_map_lookup_entry: the entry that contains `page`, or null. */
  lookup(page: number): Instance<MapEntry> | null {
    return this.list().find((entry) => entry.start <= page && page < entry.end) ?? null
  }

  /** The entry before the first one that starts at or after `page`, or null at the front of the list. */
  before(page: number): Instance<MapEntry> | null {
    return this.list().findLast((entry) => entry.start < page) ?? null
  }

  /** The entry after `entry`; the first one after null. */
  after(entry: Instance<MapEntry> | null): Instance<MapEntry> | null {
    return entry ? entry.next : this.#state.first
  }

  /** The entry before `entry` in the list, or null. */
  predecessor(entry: Instance<MapEntry>): Instance<MapEntry> | null {
    return this.list().find((other) => other.next === entry) ?? null
  }

  /** vm_map_entry_create and vm_map_entry_link, behind `previous` (null: at the front). */
  insert(previous: Instance<MapEntry> | null, values: Omit<MapEntry, 'next'>): Instance<MapEntry> {
    const entry = this.entries.allocate({ ...values, next: this.after(previous) })
    if (!entry) throw new Error(`${this.name} has too few entries for this model`)
    if (previous) previous.next = entry
    else this.#state.first = entry
    return entry
  }

  /** vm_map_entry_unlink and vm_map_entry_dispose. */
  remove(entry: Instance<MapEntry>): void {
    const previous = this.predecessor(entry)
    if (previous) previous.next = entry.next
    else this.#state.first = entry.next
    this.entries.free(entry)
  }

  /** vm_map_clip_start: cuts `entry` at `page` if that lies inside; the front becomes a new entry, `entry` the tail. */
  clipStart(entry: Instance<MapEntry>, page: number): void {
    if (page <= entry.start) return
    const { start, end: _end, ...rest } = copy(entry)
    if (entry.object) this.store.reference(entry.object)
    this.insert(this.predecessor(entry), { ...rest, start, end: page })
    if (entry.object) entry.offset += page - start
    entry.start = page
  }

  /** vm_map_clip_end: cuts `entry` at `page` if that lies inside; `entry` keeps the front, the tail is a new entry. */
  clipEnd(entry: Instance<MapEntry>, page: number): void {
    if (page >= entry.end) return
    const { start, end, offset, ...rest } = copy(entry)
    if (entry.object) this.store.reference(entry.object)
    this.insert(entry, { ...rest, start: page, end, offset: entry.object ? offset + page - start : 0 })
    entry.end = page
  }
}

function copy(entry: Instance<MapEntry>): Omit<MapEntry, 'next'> {
  const { start, end, wired, inTransition, needsWakeup, object, offset, inheritance } = entry
  return { start, end, wired, inTransition, needsWakeup, object, offset, inheritance }
}
