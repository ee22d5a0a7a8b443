// SerenityOS: AnonymousVMObject, its committed pages and everything that a page fault touches.
import {
  type Instance,
  type Machine,
  type Pool,
  type Program,
  atomically,
  bool,
  oneOf,
  published,
  ref,
  struct,
  u,
  volatile,
} from 'vmcheck'
import { AddressSpace, CommitAccount, type Frame, FrameStore, FrameStruct, Mutex } from 'vmcheck/vm'

/** The bit that every page with a frame holds before anything runs: copies must have it. */
export const ORIGINAL = 128

/** The switches that tell the kernel's eras apart. */
export interface Switches {
  /** 15ada92d930: a copy-on-write fault keeps the object's lock until the page table is rewritten. */
  readonly holdV: boolean
  /** 15ada92d930: one lock around every copy-on-write fault of the system. */
  readonly cowLock: boolean
  /** 577bc7ef95c: a zero fault allocates, installs and remaps under the object's lock. */
  readonly zLock: boolean
  /** Which the dispatcher reads first, the copy-on-write bit or the slot (577bc7ef95c); never upstream: both under one hold of the object's lock. */
  readonly dispatch: 'cow-slot' | 'slot-cow' | 'together'
  /** 4bc3745ce68: the dispatcher holds a reference to the slot's frame for the whole fault. */
  readonly dref: boolean
  /** What becomes of a fault without a visible cause (dac08384a06: assert; tolerate stands between). */
  readonly noReason: 'crash' | 'tolerate' | 'assert'
  /** Never upstream: the fault looks at the copy-on-write bit again once it has the object's lock. */
  readonly recheck: boolean
  /** 2c72d495a30: a reference to a slot's frame is copied by reading the pointer, then counting. */
  readonly splitRef: boolean
  /** The units of an object are counted down by a read and a write, which two threads may interleave. */
  readonly splitUnits: boolean
  /** Until 8812410617f, fork set the copy-on-write bit of pages that have no frame yet, too. */
  readonly zMark: boolean
  /** Which pages fork commits memory for (8717e78918b, 2a164dc923d). */
  readonly need: 'all' | 'nonzero' | 'real'
  /** 1d96c30488a: a dying child takes its parent out of the set they share. */
  readonly dtor: boolean
  /** f972eda7ed8: the clone of a volatile object is born purged. */
  readonly clonePurged: boolean
  /** Proposed: remapping takes the object's lock before that of the page tables, and once, as faults and purges do. */
  readonly objectFirst: boolean
}

/** From 2022 to January 2026. */
export const FROM_2022: Switches = {
  holdV: false,
  cowLock: false,
  zLock: false,
  dispatch: 'cow-slot',
  dref: true,
  noReason: 'crash',
  recheck: false,
  splitRef: false,
  splitUnits: false,
  zMark: false,
  need: 'real',
  dtor: true,
  clonePurged: true,
  objectFirst: false,
}

/** Since January 2026. */
export const FROM_2026: Switches = {
  ...FROM_2022,
  holdV: true,
  cowLock: true,
  zLock: true,
  dispatch: 'slot-cow',
  noReason: 'assert',
}

/** CommittedPhysicalPageSet that the two sides of a fork share. */
export interface CommittedSet {
  references: number
  count: number
}

/** AnonymousVMObject: what is not per page. */
export interface VmObject {
  /** Units for pages that were committed lazily. */
  unused: number
  /** Who keeps the object alive: its region, and a child that is detaching it. */
  strong: number
  set: Instance<CommittedSet> | null
  volatile: boolean
  wasPurged: boolean
  /** For properties only: a fork is making it, and none of its threads runs yet. */
  unborn: boolean
  /** For properties only: what its pages hold, or held before they became volatile. */
  shows: number
}

/** A page of an object. */
export interface Slot {
  kind: 'zero' | 'lazy' | 'frame'
  frame: Instance<Frame> | null
  cow: boolean
}

const SetStruct = struct<CommittedSet>('set', { references: u(3), count: published(u(4)) })
const ObjectStruct = struct<VmObject>('vmobject', {
  unused: volatile(u(3)),
  strong: volatile(u(2)),
  set: published(ref(SetStruct)),
  volatile: published(bool),
  wasPurged: bool,
  unborn: bool,
  shows: u(8),
})
const SlotStruct = struct<Slot>('slot', {
  kind: published(oneOf('zero', 'lazy', 'frame')),
  frame: published(ref(FrameStruct)),
  cow: published(bool),
})
/** For properties only: whether a page has taken a unit out of its set since the last fork. */
const UnitStruct = struct<{ taken: boolean }>('unit', { taken: bool })

const FaultingStruct = struct<{ inside: boolean }>('fault', { inside: bool })

/** A process with one region over one object. */
export interface Process {
  readonly name: string
  readonly object: Instance<VmObject>
  readonly slots: readonly Instance<Slot>[]
  readonly units: readonly Instance<{ taken: boolean }>[]
  /** AS: the lock of its address space. */
  readonly space: Mutex
  /** V: the object's lock. */
  readonly lock: Mutex
  /** PD: the lock of its page tables. */
  readonly pdLock: Mutex
  readonly pageTable: AddressSpace
}

/** What is a violation in some scenarios only, since the kernel does it knowingly. */
export interface Watches {
  /** A page takes a second unit out of its set. */
  readonly oneUnit?: boolean
  /** A fork commits for other pages than those that have a frame. */
  readonly forkExact?: boolean
  /** A zero fault leaves its page read-only. */
  readonly zeroFinal?: boolean
}

/** The kernel's memory. */
export interface Kernel extends Switches {
  readonly m: Machine
  readonly frames: FrameStore
  /** Z and L: the frame that pages without one of their own are mapped to, read-only. Counted nowhere. */
  readonly zeroPage: Instance<Frame>
  readonly account: CommitAccount
  readonly total: number
  readonly sets: Pool<CommittedSet>
  readonly setLocks: readonly Mutex[]
  readonly cow: Mutex
  readonly processes: readonly Process[]
  readonly watches: Watches
  /** For properties only, by CPU: whether its thread is in a fault. */
  readonly faulting: readonly Instance<{ inside: boolean }>[]
}

/** A process before anything runs. */
export interface InitialProcess {
  readonly name: string
  /** The set that it shares with the other side of its last fork. */
  readonly set: number | null
  /** Whether its pages are to be copied before they are written. Default: whether it has a set. */
  readonly forked?: boolean
  readonly slots: readonly Slot['kind'][]
}

/** How much there is, and what the processes' pages are before anything runs. */
export interface Setting {
  readonly processes: readonly InitialProcess[]
  /** Units in each set that processes share. */
  readonly sets: readonly number[]
  readonly uncommitted: number
  readonly cpus: number
  /** Sets that may come into being beside those. */
  readonly spareSets?: number
  readonly watches?: Watches
}

/** Makes the machine: page i of every process that has a frame there has the same one. */
export function makeKernel(m: Machine, switches: Switches, setting: Setting): Kernel {
  const pages = setting.processes[0]?.slots.length ?? 0
  const real = Array.from({ length: pages }, (_, page) =>
    setting.processes.some(({ slots }) => slots[page] === 'frame'),
  )
  const lazy = setting.processes.flatMap(({ slots }) => slots).filter((kind) => kind === 'lazy').length
  const used = real.filter(Boolean).length
  const committed = setting.sets.reduce((sum, count) => sum + count, lazy)
  const total = used + committed + setting.uncommitted
  const frames = new FrameStore(m, { frames: 1 + total })
  const zeroPage = frames.allocate() as Instance<Frame>
  const shared = real.map((is) => (is ? frames.allocate(ORIGINAL) : null))
  const sets = m.pool(SetStruct, setting.sets.length + (setting.spareSets ?? 0), 'set')
  const made = setting.sets.map((count, i) =>
    sets.allocate({ count, references: setting.processes.filter(({ set }) => set === i).length }),
  )
  const processes = setting.processes.map(({ name, set, slots, forked }) =>
    makeProcess(m, name, {
      frames,
      zeroPage,
      shared,
      slots,
      set: set === null ? null : (made[set] ?? null),
      isForked: forked ?? set !== null,
      cpus: setting.cpus,
    }),
  )
  for (const frame of shared)
    if (frame)
      frame.references = setting.processes.filter(({ slots }) => slots[shared.indexOf(frame)] === 'frame').length
  return {
    m,
    ...switches,
    frames,
    zeroPage,
    account: new CommitAccount(m, { used, committed, uncommitted: setting.uncommitted }),
    total,
    sets,
    setLocks: sets.instances.map(({ name }) => new Mutex(m, `${name}.lock`)),
    cow: new Mutex(m, 'COW'),
    processes,
    watches: setting.watches ?? {},
    faulting: m.array(FaultingStruct, setting.cpus, 'fault'),
  }
}

interface ProcessParts {
  readonly frames: FrameStore
  readonly zeroPage: Instance<Frame>
  readonly shared: readonly (Instance<Frame> | null)[]
  readonly slots: readonly Slot['kind'][]
  readonly set: Instance<CommittedSet> | null
  readonly isForked: boolean
  readonly cpus: number
}

function makeProcess(
  m: Machine,
  name: string,
  { frames, zeroPage, shared, slots, set, isForked, cpus }: ProcessParts,
): Process {
  const pageTable = new AddressSpace(m, name, { pages: slots.length, frames, cpus, bound: false })
  const process: Process = {
    name,
    object: m.struct(ObjectStruct, `${name}.vmobject`, {
      set,
      strong: 1,
      unused: slots.filter((kind) => kind === 'lazy').length,
    }),
    slots: m.array(SlotStruct, slots.length, `${name}.slot`, (page) => ({
      kind: slots[page] ?? 'zero',
      frame: slots[page] === 'frame' ? (shared[page] ?? null) : null,
      cow: isForked && slots[page] === 'frame',
    })),
    units: m.array(UnitStruct, slots.length, `${name}.unit`),
    space: new Mutex(m, `${name}.AS`),
    lock: new Mutex(m, `${name}.V`),
    pdLock: new Mutex(m, `${name}.PD`),
    pageTable,
  }
  slots.forEach((kind, page) =>
    pageTable.set(page, kind === 'frame' ? (shared[page] ?? null) : zeroPage, kind === 'frame' && !isForked),
  )
  return process
}

/** A copy-on-write fault is due on a page: a plain read, for which no lock is needed. */
export function isCow({ slots }: Process, page: number): boolean {
  const slot = slots[page] as Instance<Slot>
  return slot.kind !== 'frame' || slot.cow
}

/** Drops a reference to a frame; the last one frees it, to the uncommitted pages. */
export function* dropFrame({ frames, account }: Kernel, frame: Instance<Frame>): Program {
  yield* atomically(() => {
    if (frames.release(frame)) account.free()
  })
}

/** The lock of a set. */
export function lockOfSet({ sets, setLocks }: Kernel, set: Instance<CommittedSet>): Mutex {
  return setLocks[sets.instances.indexOf(set)] as Mutex
}

/** The object leaves its set; the last one to do so gives back what is left of it. */
export function* leaveSet({ account, sets }: Kernel, { object }: Process): Program {
  const { set } = object
  if (!set) return
  object.set = null
  yield* atomically(() => {
    set.references -= 1
    if (set.references > 0) return
    account.uncommit(set.count)
    sets.free(set)
  })
}
