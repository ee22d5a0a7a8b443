import { type Instance, type Machine, bool, ref, shown, struct, u } from 'vmcheck'
import { type Frame, type FrameStore, FrameStruct } from './frame-store.ts'
import { checkNumber, checkOptions } from './options.ts'

/** A page-table entry; absent without a frame. */
export interface PageTableEntry {
  /** The frame that the page is in; null for none. */
  frame: Instance<Frame> | null
  /** Whether the page may be written. */
  writable: boolean
}

/** The translation of a page. */
export interface Translation {
  /** The frame that the page is in. */
  readonly frame: Instance<Frame>
  /** Whether the page may be written. */
  readonly writable: boolean
}

const EntryStruct = struct<PageTableEntry>('pte', { frame: ref(FrameStruct), writable: bool })
const BoundStruct = struct<{ bound: boolean }>('bound', { bound: bool })

/** Most frames a store may have for TLBs: a bit for each, read-only and writable. */
const MAX_FRAMES = 15

/** The options of an address space. */
export interface AddressSpaceOptions {
  /** Number of its pages. */
  readonly pages: number
  /** The frames that entries refer to. */
  readonly frames: FrameStore
  /** CPUs with a TLB that may cache its translations; without any, accesses walk the page table. Default 0. */
  readonly cpus?: number
  /** Whether every CPU has the space loaded from the start; else those do on which it is bound. Default true. */
  readonly bound?: boolean
}

/**
 * A page table, and what the CPUs' TLBs may hold of it: for each CPU and page the set of translations that could be
 * cached there, had the TLB filled and evicted as it pleased. Writing an entry adds the new one on the CPUs that have
 * the space loaded (all, unless it was made with `bound: false`), invalidating leaves what the page table says, an access takes any of the set and leaves that
 * and what the page table says. Its methods belong in atomic sections: one is what the hardware does at once.
 *
 * @example
 * const frames = new FrameStore(m, { frames: 1, name: 'frame' })
 * const space = new AddressSpace(m, 'P', { pages: 1, frames, cpus: 1 })
 * m.thread(function* maps() {
 *   yield* atomically(() => space.set(0, frames.allocate(0), true))
 *   yield* atomically(() => m.assert(space.access(0, 0, 'write') !== null, 'mapped'))
 * })
 */
export class AddressSpace {
  /** Its name, in traces and messages. */
  readonly name: string
  /** The page table's entries, by page. */
  readonly entries: readonly Instance<PageTableEntry>[]
  /** The frames that entries refer to. */
  readonly frames: FrameStore
  readonly #m: Machine
  /** By CPU, then page. */
  readonly #cached: readonly (readonly Instance<{ possible: number }>[])[]
  readonly #bound: readonly Instance<{ bound: boolean }>[]

  /** @throws RangeError with TLBs and more than 15 frames */
  constructor(m: Machine, name: string, options: AddressSpaceOptions) {
    checkOptions(`address space ${name}`, options, ['pages', 'frames', 'cpus', 'bound'])
    const { pages, frames, cpus = 0, bound = true } = options
    checkNumber(`pages of ${name}`, pages, 0, 65_536)
    checkNumber(`cpus of ${name}, which says how many TLBs there are,`, cpus, 0, 30)
    if (cpus > 0 && frames.frames.instances.length > MAX_FRAMES)
      throw new RangeError(`${name}: at most ${MAX_FRAMES} frames with TLBs`)
    this.#m = m
    this.name = name
    this.frames = frames
    this.entries = m.array(EntryStruct, pages, `${name}.pte`)
    const cached = struct<{ possible: number }>('tlb', {
      possible: shown(u(30), (possible) => this.#members(possible).map(showTranslation).join(' or ') || 'nothing'),
    })
    this.#cached = Array.from({ length: cpus }, (_, cpu) => m.array(cached, pages, `TLB ${cpu} ${name}`))
    this.#bound = m.array(BoundStruct, cpus, `TLB of ${name}`, { bound })
  }

  /** Writes a page-table entry. CPUs that cached the old one may continue using it. */
  set(page: number, frame: Instance<Frame> | null, writable = false): void {
    const entry = this.#entry(page)
    entry.frame = frame
    entry.writable = frame !== null && writable
    this.#cached.forEach((tlb, cpu) => {
      const cached = tlb[page]
      if (cached && this.isBound(cpu)) cached.possible |= this.#current(page)
    })
  }

  /** The translation in the page table, or null. */
  translation(page: number): Translation | null {
    const { frame, writable } = this.#entry(page)
    return frame && { frame, writable }
  }

  /** The space's root is loaded on a CPU whose TLB holds nothing of it: `bound` from now on. */
  bind(cpu: number): void {
    this.#bindingOf(cpu).bound = true
    this.invalidateAll(cpu)
  }

  /** Another root is loaded on the CPU: nothing of this space stays cached. */
  unbind(cpu: number): void {
    this.#bindingOf(cpu).bound = false
    this.invalidateAll(cpu)
  }

  /** Whether the space's root is the CPU's. */
  isBound(cpu: number): boolean {
    return this.#bindingOf(cpu).bound
  }

  /** The CPU drops what it cached of a page (x86: invlpg). */
  invalidate(cpu: number, page: number): void {
    if (this.cpus > 0) this.#bindingOf(cpu)
    const cached = this.#cached[cpu]?.[page]
    if (cached) cached.possible = this.isBound(cpu) ? this.#current(page) : 0
  }

  /** The CPU drops everything it cached (x86: the root is loaded again). */
  invalidateAll(cpu: number): void {
    this.entries.forEach((_, page) => this.invalidate(cpu, page))
  }

  /** One attempt of a CPU to reach a page; null: it faults, and has dropped what it cached of the page. */
  access(cpu: number, page: number, kind: 'read' | 'write'): Translation | null {
    if (this.cpus > 0) this.#bindingOf(cpu)
    const cached = this.#cached[cpu]?.[page]
    const found = cached ? this.#translate(cpu, page, cached) : this.translation(page)
    if (found && (kind === 'read' || found.writable)) return found
    this.invalidate(cpu, page)
    return null
  }

  /** The translations of a page that a CPU may have cached: for properties. */
  cached(cpu: number, page: number): Translation[] {
    return this.#members(this.#cached[cpu]?.[page]?.possible ?? 0)
  }

  /** CPUs with a TLB. */
  get cpus(): number {
    return this.#cached.length
  }

  /** The translation in use: one that may be cached, or what the page table says. */
  #translate(cpu: number, page: number, cached: Instance<{ possible: number }>): Translation | null {
    const current = this.#current(page)
    const members = this.#members(cached.possible)
    const stale = members.filter((member) => this.#bit(member) !== current)
    const options: (Translation | null)[] = [this.translation(page), ...stale]
    const names = options.map((option, i) => (i === 0 ? 'as the page table says' : `still ${showTranslation(option)}`))
    const used = options[this.#m.choose(options.length, `page ${page} of ${this.name}`, names)] ?? null
    if (this.isBound(cpu)) cached.possible = current | (used ? this.#bit(used) : 0)
    return used
  }

  #entry(page: number): Instance<PageTableEntry> {
    const entry = this.entries[page]
    if (!entry) throw new RangeError(`${this.name} has no page ${page}`)
    return entry
  }

  #bindingOf(cpu: number): Instance<{ bound: boolean }> {
    const binding = this.#bound[cpu]
    if (!binding) throw new RangeError(`${this.name} has no TLB ${cpu}: it was made with cpus: ${this.cpus}`)
    return binding
  }

  #current(page: number): number {
    const translation = this.translation(page)
    return translation ? this.#bit(translation) : 0
  }

  #bit({ frame, writable }: Translation): number {
    return 1 << (2 * this.frames.frames.instances.indexOf(frame) + (writable ? 1 : 0))
  }

  #members(possible: number): Translation[] {
    return this.frames.frames.instances.flatMap((frame) =>
      [false, true].flatMap((writable) =>
        (possible & this.#bit({ frame, writable })) !== 0 ? [{ frame, writable }] : [],
      ),
    )
  }
}

/** `frame[1] (writable)`, or `nothing`. */
export function showTranslation(translation: Translation | null): string {
  return translation ? `${translation.frame.name}${translation.writable ? ' (writable)' : ''}` : 'nothing'
}
