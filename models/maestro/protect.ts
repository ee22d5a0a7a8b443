// Maestro kernel/src/process/mem_space/mod.rs since March 2026: mprotect, fork and page faults, with page tables.
// Interrupts stay on here: what comes of switching them off, models/maestro-shootdown.ts shows.
import { type Cpu, type Instance, type Machine, type Program, atomically, ref, struct } from 'vmcheck'
import { AddressSpace, type Frame, type FrameStore, FrameStruct, RwSpinLock, Shootdown, SpinLock } from 'vmcheck/vm'
import { setProt } from './mem-space.ts'
import type { MemSpace, Outcome } from './transaction.ts'
import type { Protection } from './tree.ts'

const SlotStruct = struct<{ frame: Instance<Frame> | null }>('slot', { frame: ref(FrameStruct) })

/** A process: its mappings with their protections, its page tables, and the frames that its mappings hold. */
export interface Process {
  readonly m: Machine
  readonly name: string
  readonly space: MemSpace
  readonly frames: FrameStore
  readonly slots: readonly Instance<{ frame: Instance<Frame> | null }>[]
  readonly table: AddressSpace
  /** Held for reading by faults and forks, for writing by calls that change mappings. */
  readonly state: RwSpinLock
  readonly pages: SpinLock
  readonly cpus: readonly Cpu[]
  /** Between the CPUs of a process that runs on some. */
  readonly shootdown: Shootdown | null
  /** Asserts what must hold when the process writes a page: for properties. */
  readonly mayWrite: (cpu: number, page: number) => void
}

/** Which of its repairs the kernel has. */
export interface Repairs {
  /** Proposed: mprotect unmaps the pages that it makes read-only. */
  readonly unmapsReduced: boolean
  /** What a fork unmaps, so that the next write copies: all mappings, or since eb1eaa87 those that allow writes. */
  readonly forkUnmaps: 'all' | 'writable'
}

/** A process none of whose pages is mapped; with CPUs, it runs on all of them. */
export function makeProcess(
  m: Machine,
  name: string,
  frames: FrameStore,
  space: MemSpace,
  cpus: readonly Cpu[],
  threads: number,
  mayWrite: Process['mayWrite'] = () => {},
): Process {
  const pages = space.mappings.nodes.length
  const table = new AddressSpace(m, name, { pages, frames, cpus: cpus.length })
  return {
    m,
    name,
    space,
    frames,
    table,
    cpus,
    mayWrite,
    slots: m.array(SlotStruct, pages, `${name}.slot`),
    state: new RwSpinLock(m, `${name}.state`),
    pages: new SpinLock(m, `${name}.pages`),
    shootdown: cpus.length > 0 ? new Shootdown(m, `${name}.shootdown`, table, cpus, threads) : null,
  }
}

/** A page is there, and mapped as its mapping allows. */
export function makeResident({ frames, slots, table, space }: Process, page: number, content: number): void {
  const frame = frames.allocate(content)
  const slot = slots[page]
  if (slot) slot.frame = frame
  table.set(
    page,
    frame,
    space.mappings.ranges().some(({ begin, size, prot }) => begin <= page && page < begin + size && prot === 'rw'),
  )
}

/** shootdown_range: every CPU of the process drops what it cached of some pages. */
function* shootDown({ shootdown, cpus }: Process, from: number, to: number): Program {
  if (!shootdown) return
  yield* shootdown.request(
    Array.from({ length: to - from }, (_, i) => from + i),
    cpus,
  )
  yield* shootdown.wait()
}

/** mprotect. The pages of a mapping that is cut are unmapped; those of one that is changed in place stay as they are mapped. */
export function* mprotect(
  process: Process,
  { unmapsReduced }: Repairs,
  addr: number,
  size: number,
  prot: Protection,
): Program<Outcome> {
  const { space, table, state } = process
  yield* state.write()
  const cut = space.mappings
    .ranges()
    .filter(
      ({ begin, size: pages }) =>
        begin < addr + size && begin + pages > addr && (begin < addr || begin + pages > addr + size),
    )
  const outcome = yield* setProt(space, addr, size, prot)
  yield* atomically(() => {
    for (const { begin, size: pages } of cut) unmapRange(table, begin, begin + pages)
    if (unmapsReduced && prot === 'r' && outcome === 'ok') unmapRange(table, addr, addr + size)
  })
  yield* state.release()
  yield* shootDown(process, addr, addr + size)
  return outcome
}

function unmapRange(table: AddressSpace, from: number, to: number): void {
  for (let page = from; page < to; page++) table.set(page, null)
}

/** fork: the child's mappings are the parent's and share its frames; what may be written is unmapped. */
export function* fork(parent: Process, { forkUnmaps }: Repairs, child: Process): Program {
  const { space, slots, frames, table, state, pages } = parent
  yield* state.read()
  yield* pages.acquire()
  yield* atomically(() => {
    for (const [page, { frame }] of slots.entries()) {
      if (!frame) continue
      frames.reference(frame)
      Object.assign(child.slots[page] as object, { frame })
    }
    for (const { begin, size, prot } of space.mappings.ranges())
      Object.assign(child.space.mappings.at(begin), { present: true, size, prot })
  })
  yield* pages.release()
  for (const { begin, size, prot } of space.mappings.ranges()) {
    if (forkUnmaps === 'writable' && prot === 'r') continue
    yield* atomically(() => unmapRange(table, begin, begin + size))
    yield* shootDown(parent, begin, begin + size)
  }
  yield* state.release()
}

/** The page fault: false when the mapping does not allow the access. A shared frame is copied, on a read as well. */
export function* pageFault(process: Process, page: number, kind: 'read' | 'write'): Program<boolean> {
  const { space, slots, frames, table, state, pages } = process
  yield* state.read()
  const mapping = space.mappings.find(page, false)
  const isAllowed = mapping !== null && (kind === 'read' || mapping.prot === 'rw')
  if (isAllowed) {
    yield* pages.acquire()
    yield* atomically(() => {
      const slot = slots[page] as Instance<{ frame: Instance<Frame> | null }>
      const { frame } = slot
      if (frame && frame.references > 1) {
        slot.frame = frames.allocate(frame.content)
        frames.release(frame)
      }
      table.set(page, slot.frame, mapping.prot === 'rw')
    })
    yield* shootDown(process, page, page + 1)
    yield* pages.release()
  }
  yield* state.release()
  return isAllowed
}

/** A user program reads a page, with its faults: what it sees, or null when it gets a signal. */
export function* readPage(process: Process, cpu: number, page: number): Program<number | null> {
  for (;;) {
    const seen = yield* atomically(() => process.table.access(cpu, page, 'read')?.frame.content ?? null)
    if (seen !== null) return seen
    if (!(yield* pageFault(process, page, 'read'))) return null
  }
}

/** A user program writes a page, with its faults: false when it gets a signal. */
export function* writePage(process: Process, cpu: number, page: number, value: number): Program<boolean> {
  for (;;) {
    const isWritten = yield* atomically(() => {
      const found = process.table.access(cpu, page, 'write')
      if (!found) return false
      process.mayWrite(cpu, page)
      found.frame.content = value
      return true
    })
    if (isWritten) return true
    if (!(yield* pageFault(process, page, 'write'))) return false
  }
}
