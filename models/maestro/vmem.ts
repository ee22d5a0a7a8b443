// Maestro kernel/src/memory/vmem/mod.rs as it was with one CPU: page tables changed by transactions, the page fault, fork.
import { type Instance, type Machine, type Program, atomically, bool, ref, struct, u } from 'vmcheck'
import {
  AddressSpace,
  type FailureBudget,
  type Frame,
  type FrameStore,
  FrameStruct,
  type Holding,
  all,
  countsEqualReferences,
  noStaleTranslation,
  reachesAllocated,
} from 'vmcheck/vm'

/** The epochs that differ with one CPU. */
export interface Epoch {
  /** Changes of page tables are logged and undone by a rollback (until ba498f34). */
  readonly transactions: boolean
  /** map and unmap invalidate the page they change (0da27b98; not between 5d98d94b and 6fd36556). */
  readonly invalidates: boolean
  /** A page that is mapped nowhere is filled by a fault (ba498f34); before, the process gets a signal. */
  readonly refills: boolean
  /** The copy is written through its page, as the CPU translates that; or, simpler, to its frame. */
  readonly writesThroughPage: boolean
  /** Proposed: room in the log is reserved before the page table is changed. */
  readonly reserves: boolean
}

/** The epochs by name. */
export const EPOCHS: Readonly<
  Record<
    'before-0da27b98' | '0da27b98' | 'ba498f34' | '5d98d94b' | '6fd36556',
    Omit<Epoch, 'reserves' | 'writesThroughPage'>
  >
> = {
  'before-0da27b98': { transactions: true, invalidates: false, refills: false },
  '0da27b98': { transactions: true, invalidates: true, refills: false },
  ba498f34: { transactions: false, invalidates: true, refills: true },
  '5d98d94b': { transactions: false, invalidates: false, refills: true },
  '6fd36556': { transactions: false, invalidates: true, refills: true },
}

interface Change {
  used: boolean
  page: number
  frame: Instance<Frame> | null
  writable: boolean
}

const ChangeStruct = struct<Change>('log', { used: bool, page: u(3), frame: ref(FrameStruct), writable: bool })
const SlotStruct = struct<{ frame: Instance<Frame> | null }>('slot', { frame: ref(FrameStruct) })

/** A process: its page tables, and the frames that its mapping holds. */
export interface Process {
  readonly name: string
  readonly vmem: AddressSpace
  readonly slots: readonly Instance<{ frame: Instance<Frame> | null }>[]
}

/** The kernel with its one CPU. */
export interface Kernel extends Epoch {
  readonly m: Machine
  readonly budget: FailureBudget
  readonly frames: FrameStore
  readonly log: readonly Instance<Change>[]
}

/** The one CPU. */
export const CPU = 0
/** COPY_BUFFER: the page through which a copy reads its source. */
export const copyBuffer = ({ slots }: Process): number => slots.length

/** A log for as many changes as a transaction of these models makes. */
export function makeLog(m: Machine): readonly Instance<Change>[] {
  return m.array(ChangeStruct, 6, 'log')
}

/** A process with so many pages, none of them mapped. */
export function makeProcess(m: Machine, name: string, frames: FrameStore, pages: number): Process {
  return {
    name,
    vmem: new AddressSpace(m, name, { pages: pages + 1, frames, cpus: 1, bound: false }),
    slots: m.array(SlotStruct, pages, `${name}.slot`),
  }
}

/** Every page of a process is resident: its own, or shared with another process and read-only. */
export function makeResident(frames: FrameStore, process: Process, other: Process | null): void {
  process.vmem.bind(CPU)
  for (const [page, slot] of process.slots.entries()) {
    const frame = frames.allocate(page + 1)
    if (!frame) return
    slot.frame = frame
    process.vmem.set(page, frame, other === null)
    const theirs = other?.slots[page]
    if (!other || !theirs) continue
    frames.reference(frame)
    theirs.frame = frame
    other.vmem.set(page, frame, false)
  }
}

/** The count of each frame is that of its owners, no frame is leaked, and no translation is stale; `others` own frames besides. */
export function properties(m: Machine, frames: FrameStore, processes: readonly Process[], others: number): void {
  const holdings = (): Holding<Instance<Frame>>[] =>
    processes.flatMap(({ name, slots }) =>
      slots.flatMap(({ frame }, page) => (frame ? [[frame, `page ${page} of ${name}`] as const] : [])),
    )
  m.atRest('references are counted', () =>
    countsEqualReferences(
      frames.allocated.filter(({ content }) => content !== FOREIGN),
      ({ references }) => references,
      holdings(),
    ),
  )
  m.atRest('no frame is leaked', () => {
    const held = holdings()
    const lost = frames.allocated.filter((frame) => !held.some(([other]) => other === frame))
    return (
      lost.length <= others ||
      `${lost.map(({ name }) => name).join(' and ')} ${lost.length > 1 ? 'are' : 'is'} allocated, and ${others} belong to another process`
    )
  })
  m.atRest('no translation is stale', () =>
    all(...processes.map(({ vmem, slots }) => noStaleTranslation(vmem, [...slots.keys()]))),
  )
}

/** A page-table entry is written, and the old one invalidated where the epoch does so. */
function store(
  { invalidates }: Kernel,
  { vmem }: Process,
  page: number,
  frame: Instance<Frame> | null,
  writable: boolean,
): void {
  vmem.set(page, frame, writable)
  if (invalidates) vmem.invalidate(CPU, page)
}

/** What the page table says of a page, for the log. */
function recordOf({ vmem }: Process, page: number): Change {
  const old = vmem.translation(page)
  return { used: true, page, frame: old?.frame ?? null, writable: old?.writable ?? false }
}

function push({ log }: Kernel, record: Change): void {
  const free = log.find(({ used }) => !used)
  if (!free) throw new Error('the log has too few records for this model')
  Object.assign(free, record)
}

/** map and unmap (frame null) of one page in a transaction: false when the log is full, and then the page stays changed. */
export function* vmemSet(
  kernel: Kernel,
  process: Process,
  page: number,
  frame: Instance<Frame> | null,
  writable: boolean,
): Program<boolean> {
  const { transactions, reserves, budget } = kernel
  return yield* atomically(() => {
    if (transactions && reserves && budget.strikes('room in the log')) return false
    const record = recordOf(process, page)
    store(kernel, process, page, frame, writable)
    if (!transactions) return true
    if (!reserves && budget.strikes('room in the log')) return false
    push(kernel, record)
    return true
  })
}

/** unmap of a range in a transaction: for two pages or more, room in the log is reserved first. */
export function* vmemUnmapRange(kernel: Kernel, process: Process, from: number, to: number): Program<boolean> {
  if (to - from === 1) return yield* vmemSet(kernel, process, from, null, false)
  return yield* atomically(() => {
    if (kernel.transactions && kernel.budget.strikes('room in the log')) return false
    for (let page = from; page < to; page++) {
      if (kernel.transactions) push(kernel, recordOf(process, page))
      store(kernel, process, page, null, false)
    }
    return true
  })
}

/** The end of a transaction: commit forgets the log, rollback replays it backwards, and invalidates nothing. */
export function* vmemEnd({ log, budget }: Kernel, { vmem }: Process, outcome: 'commit' | 'rollback'): Program {
  yield* atomically(() => {
    if (outcome === 'rollback') budget.beginRollback()
    for (const record of log.toReversed()) {
      if (!record.used) continue
      if (outcome === 'rollback') vmem.set(record.page, record.frame, record.writable)
      Object.assign(record, { used: false, page: 0, frame: null, writable: false } satisfies Change)
    }
    if (outcome === 'rollback') budget.endRollback()
  })
}

/** What became of a fault or an operation. */
export type Outcome = 'ok' | 'ENOMEM' | 'signal'

/**
 * The page of a slot becomes private and writable: a sole owner keeps its frame, any other process gets a copy. The last
 * step is unwrapped by force: it must not fail.
 */
export function* makePrivate(kernel: Kernel, process: Process, page: number): Program<Outcome> {
  const { m, frames, budget } = kernel
  const slot = process.slots[page] as Instance<{ frame: Instance<Frame> | null }>
  const old = slot.frame
  if (!old) return 'signal'
  if (old.references === 1) return (yield* vmemSet(kernel, process, page, old, true)) ? 'ok' : 'ENOMEM'
  const copy = yield* atomically(() => (budget.strikes('a frame') ? null : frames.allocate()))
  if (!copy) return 'ENOMEM'
  const isWindowOpen = yield* vmemSet(kernel, process, copyBuffer(process), old, false)
  const isMapped = isWindowOpen && (yield* vmemSet(kernel, process, page, copy, false))
  if (!isMapped) {
    yield* atomically(() => frames.release(copy))
    return 'ENOMEM'
  }
  yield* copyThroughWindow(kernel, process, page, old, copy)
  yield* atomically(() => {
    slot.frame = copy
    frames.release(old)
  })
  const isWritable = yield* vmemSet(kernel, process, page, copy, true)
  m.assert(isWritable, 'the kernel does not panic')
  return 'ok'
}

/** The kernel reads the source through COPY_BUFFER and writes the copy through its page, as the CPU translates them; read-only pages too. */
function* copyThroughWindow(
  { m, frames, writesThroughPage }: Kernel,
  process: Process,
  page: number,
  source: Instance<Frame>,
  copy: Instance<Frame>,
): Program {
  yield* atomically(() => {
    const window = process.vmem.access(CPU, copyBuffer(process), 'read')
    if (!window) throw new Error('the window is not mapped')
    m.assert(
      () => reachesAllocated(frames, window.frame, `the copy for ${process.name}`),
      'no access reaches a free frame',
    )
    m.assert(
      () =>
        window.frame.content !== FOREIGN ||
        window.frame === source ||
        `the copy for ${process.name} reads ${window.frame.name}, which belongs to another process`,
      'no access reaches a foreign frame',
    )
    const target = writesThroughPage ? process.vmem.access(CPU, page, 'read') : { frame: copy }
    if (target) target.frame.content = window.frame.content
    m.assert(
      () =>
        target?.frame === copy ||
        `CPU ${CPU} still translates page ${page} to ${target?.frame.name}, which is written instead of ${copy.name}`,
      'a copy is written to its page',
    )
    m.assert(
      () =>
        window.frame === source ||
        `CPU ${CPU} still translates COPY_BUFFER to ${window.frame.name}, so that it is copied instead of ${source.name}`,
      'a copy equals its source',
    )
  })
}

/** The page fault. */
export function* pageFault(kernel: Kernel, process: Process, page: number, kind: 'read' | 'write'): Program<Outcome> {
  const slot = process.slots[page]
  const isPresent = yield* atomically(() => process.vmem.translation(page) !== null)
  if (!isPresent && (!kernel.refills || !slot?.frame)) return 'signal'
  if (kind === 'read') {
    const { frame } = slot as Instance<{ frame: Instance<Frame> | null }>
    yield* atomically(() => {
      store(kernel, process, page, frame, frame?.references === 1)
      process.vmem.invalidate(CPU, page)
    })
    return 'ok'
  }
  const outcome = yield* makePrivate(kernel, process, page)
  kernel.m.assert(outcome === 'ok' || !kernel.transactions, 'the kernel does not panic')
  yield* vmemEnd(kernel, process, outcome === 'ok' ? 'commit' : 'rollback')
  return outcome
}

/** A user program reads a page: what it sees, or null when it gets a signal. */
export function* userRead(kernel: Kernel, process: Process, page: number): Program<number | null> {
  for (;;) {
    const value = yield* attempt(kernel, process, page, 'read', null)
    if (value !== null) return value
    if ((yield* pageFault(kernel, process, page, 'read')) !== 'ok') return null
  }
}

/** A user program writes a page; false when it gets a signal. */
export function* userWrite(kernel: Kernel, process: Process, page: number, value: number): Program<boolean> {
  for (;;) {
    const written = yield* attempt(kernel, process, page, 'write', value)
    if (written !== null) return true
    if ((yield* pageFault(kernel, process, page, 'write')) !== 'ok') return false
  }
}

/** One attempt of the CPU: the value read or written, or null for a fault. */
function* attempt(
  { m, frames }: Kernel,
  process: Process,
  page: number,
  kind: 'read' | 'write',
  value: number | null,
): Program<number | null> {
  return yield* atomically(() => {
    const found = process.vmem.access(CPU, page, kind)
    if (!found) return null
    m.assert(
      () => reachesAllocated(frames, found.frame, `${process.name}, with page ${page} on CPU ${CPU},`),
      'no access reaches a free frame',
    )
    m.assert(() => isOwn(process, page, found.frame), 'no access reaches a foreign frame')
    if (value !== null) found.frame.content = value
    return found.frame.content
  })
}

/** Whether a frame is the page's, or at least no other actor's. */
function isOwn({ slots, name }: Process, page: number, frame: Instance<Frame>): true | string {
  const own = slots[page]?.frame
  return (
    own === frame ||
    own === undefined ||
    frame.content !== FOREIGN ||
    `page ${page} of ${name} is ${own?.name ?? 'empty'}, and the CPU reaches ${frame.name}, which belongs to another process`
  )
}

/** What a frame holds that another process got. */
export const FOREIGN = 9

/** fork: the child shares every frame, and no one may write it. */
export function* fork(kernel: Kernel, parent: Process, child: Process): Program {
  const { frames } = kernel
  yield* atomically(() => {
    parent.slots.forEach((slot, page) => {
      const { frame } = slot
      if (!frame) return
      frames.reference(frame)
      ;(child.slots[page] as Instance<{ frame: Instance<Frame> | null }>).frame = frame
      store(kernel, parent, page, frame, false)
      child.vmem.set(page, frame, false)
    })
  })
}

/** The CPU runs another process: its root is loaded, which drops everything that was cached. */
export function* switchTo(from: Process, to: Process): Program {
  yield* atomically(() => {
    from.vmem.unbind(CPU)
    to.vmem.bind(CPU)
  })
}

/** exit, or munmap of the first `pages`: the process gives up its frames. */
export function* exit({ frames }: Kernel, { slots, vmem }: Process, pages = slots.length): Program {
  yield* atomically(() => {
    slots.slice(0, pages).forEach((slot, page) => {
      if (slot.frame) frames.release(slot.frame)
      slot.frame = null
      vmem.set(page, null)
    })
  })
}
