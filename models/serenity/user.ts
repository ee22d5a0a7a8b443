// User programs that store to their pages, and what must hold of it.
import { type Instance, type PropertyResult, type Machine, type Program, atomically } from 'vmcheck'
import {
  type Frame,
  type Holding,
  all,
  countsEqualReferences,
  noFrameLeaked,
  noTranslationToFree,
  reachesAllocated,
  showTranslation,
  unitsConserved,
} from 'vmcheck/vm'
import { type FaultResult, handleFault } from './fault.ts'
import { type Kernel, ORIGINAL, type Process, isCow } from './kernel.ts'

/** A thread that stores to pages of its process, each store to a cell of its own. */
export interface Storer {
  readonly process: Process
  readonly cpu: number
  readonly pages: readonly number[]
  /** Bit of a frame's content that is this thread's cell. */
  readonly cell: number
  /** Faults that one store may take; null: any number. */
  readonly retries: number | null
}

/** The thread's program. A process that has no memory left is killed. */
export function storer(kernel: Kernel, who: Storer): () => Program {
  return function* store() {
    for (const page of who.pages) {
      const result = yield* storeTo(kernel, who, page)
      if (result === 'OutOfMemory') return
    }
  }
}

function* storeTo(kernel: Kernel, who: Storer, page: number): Program<FaultResult> {
  const { process, cpu, cell, retries } = who
  let faults = 0
  while (!(yield* attempt(kernel, process, cpu, page, cell))) {
    if (retries !== null) faults += 1
    kernel.m.assert(retries === null || faults <= retries, 'a store takes no more faults than it may')
    const result = yield* handleFault(kernel, { process, cpu, page })
    kernel.m.assert(result !== 'ShouldCrash', 'a legal access does not kill the process')
    if (result === 'OutOfMemory') return result
  }
  return 'Continue'
}

/** The store itself: false when it faults. */
export function* attempt(
  { m, frames, processes, faulting }: Kernel,
  process: Process,
  cpu: number,
  page: number,
  cell: number,
): Program<boolean> {
  return yield* atomically(() => {
    const found = process.pageTable.access(cpu, page, 'write')
    const fault = faulting[cpu]
    if (fault) fault.inside = found === null
    if (!found) return false
    const who = `CPU ${cpu}, storing to page ${page} of ${process.name},`
    m.assert(() => reachesAllocated(frames, found.frame, who), 'no store lands in a free frame')
    m.assert(
      () =>
        isIsolated(processes, process, found.frame) ||
        `${who} reaches ${found.frame.name}, which another process has, too`,
      'a store after a fork is private',
    )
    found.frame.content |= 1 << cell
    return true
  })
}

/** Whether a frame is one process's alone; a process that is being forked has what was stored before it was there. */
function isIsolated(processes: readonly Process[], process: Process, frame: Instance<Frame>): boolean {
  return processes.every(
    (other) => other === process || other.object.unborn || other.slots.every((slot) => slot.frame !== frame),
  )
}

/** Who holds references to frames when no fault is running. */
function holdings({ processes }: Kernel): Holding<Instance<Frame>>[] {
  return processes.flatMap(({ slots, name }) =>
    slots.flatMap(({ frame }, page) => (frame ? [[frame, `page ${page} of ${name}`] as const] : [])),
  )
}

/** PTE_COHERENT */
function pageTableIsCoherent(process: Process, { zeroPage }: Kernel): PropertyResult {
  for (const [page, { kind, frame }] of process.slots.entries()) {
    const found = process.pageTable.translation(page)
    const expected = kind === 'frame' ? frame : zeroPage
    if (found?.frame !== expected)
      return `page ${page} of ${process.name} is mapped to ${showTranslation(found)}, and its slot holds ${expected?.name ?? 'nothing'}`
    if (found && found.writable !== !isCow(process, page))
      return `page ${page} of ${process.name} is ${found.writable ? '' : 'not '}writable, and ${isCow(process, page) ? 'a' : 'no'} copy is due`
  }
  return true
}

/** NO_LOST_WRITE */
function storesAreKept(storers: readonly Storer[]): PropertyResult {
  for (const { process, pages, cell, cpu } of storers) {
    for (const page of pages) {
      const { frame } = process.slots[page] as { frame: Instance<Frame> | null }
      if (frame === null || ((frame.content >> cell) & 1) === 0)
        return `the store of CPU ${cpu} to page ${page} of ${process.name} is not in ${frame?.name ?? 'any frame'}`
    }
  }
  return true
}

/** LAZY_BACKED */
export function lazyPagesAreBacked(processes: readonly Process[]): PropertyResult {
  for (const { slots, object, name } of processes) {
    const lazy = slots.filter(({ kind }) => kind === 'lazy').length
    if (lazy > object.unused) return `${name} has ${lazy} lazy pages, and ${object.unused} units`
  }
  return true
}

/** What a page held before anything ran is in every copy of it. */
function copiesAreWhole(processes: readonly Process[], pages: readonly number[]): PropertyResult {
  for (const { slots, name } of processes) {
    const page = pages.find((at) => {
      const frame = slots[at]?.frame
      return frame && (frame.content & ORIGINAL) === 0
    })
    if (page !== undefined) return `page ${page} of ${name} does not hold what it held before it was copied`
  }
  return true
}

/** REFCOUNT, ACCOUNTING, COMMIT_SUM, PTE_COHERENT, NO_LOST_WRITE and NO_STALE_MAP, for when all threads are done; some processes may be gone by then. */
export function properties(
  m: Machine,
  kernel: Kernel,
  storers: readonly Storer[],
  gone: readonly Process[] = [],
): void {
  const { frames, account, processes, sets, total, zeroPage } = kernel
  m.atRest('references are counted', () =>
    countsEqualReferences(
      frames.allocated.filter((frame) => frame !== zeroPage),
      ({ references }) => references,
      holdings(kernel),
    ),
  )
  m.atRest('no frame is leaked', () => noFrameLeaked(frames, [...holdings(kernel), [zeroPage, 'the kernel']]))
  m.atRest('committed units are conserved', () =>
    unitsConserved(account, total, [
      ...processes.map(({ object, name }) => [object.unused, name] as const),
      ...sets.instances.filter((set) => sets.isAllocated(set)).map((set) => [set.count, set.name] as const),
    ]),
  )
  m.atRest('page tables map what the slots hold', () =>
    all(
      ...processes.filter((process) => !gone.includes(process)).map((process) => pageTableIsCoherent(process, kernel)),
    ),
  )
  const real = [...(processes[0]?.slots.keys() ?? [])].filter((page) =>
    processes.some(({ slots }) => slots[page]?.kind === 'frame'),
  )
  m.atRest('a copy holds what its page held', () => copiesAreWhole(processes, real))
  m.atRest('every store is in the page', () => storesAreKept(storers))
  m.atRest('no frame that can be reached is free', () =>
    noTranslationToFree(processes.map(({ pageTable }) => pageTable)),
  )
}
