// Properties that several kernels share. Each gives true, or says what is wrong in kernel terms.
import type { Instance, PropertyResult } from 'vmcheck'
import { type AddressSpace, showTranslation } from './address-space.ts'
import type { CommitAccount } from './commit-account.ts'
import type { Frame, FrameStore } from './frame-store.ts'

/** An object that is counted, and the name of a holder of a reference to it. */
export type Holding<T> = readonly [thing: T, holder: string]

/** The first thing wrong among several judgements; true when none is. */
export function all(...judgements: readonly PropertyResult[]): PropertyResult {
  return judgements.find((judgement) => judgement !== true) ?? true
}

/** `a, b and c`, or `no one`. */
function list(words: readonly string[]): string {
  return words.length === 0
    ? 'no one'
    : words.length === 1
      ? (words[0] as string)
      : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

/** Reference counts equal references: every thing's count is the number of its holders. */
export function countsEqualReferences<T extends { readonly name: string }>(
  things: readonly T[],
  count: (thing: T) => number,
  holdings: readonly Holding<T>[],
): PropertyResult {
  for (const thing of things) {
    const holders = holdings.filter(([held]) => held === thing).map(([, holder]) => holder)
    if (count(thing) !== holders.length) return `${thing.name} counts ${count(thing)}, and is held by ${list(holders)}`
  }
  return true
}

/** No holder refers to a thing that is free. */
export function nothingHeldIsFree<T extends { readonly name: string }>(
  isAllocated: (thing: T) => boolean,
  holdings: readonly Holding<T>[],
): PropertyResult {
  const dangling = holdings.find(([thing]) => !isAllocated(thing))
  return dangling ? `${dangling[0].name} is free, and ${dangling[1]} still refers to it` : true
}

/** No frame is allocated that no one holds. */
export function noFrameLeaked(frames: FrameStore, holdings: readonly Holding<Instance<Frame>>[]): PropertyResult {
  const leaked = frames.allocated.find((frame) => !holdings.some(([held]) => held === frame))
  return leaked ? `${leaked.name} is allocated, but nothing refers to it` : true
}

/** Committed units are conserved: all pages are in the books, and the promises add up. */
export function unitsConserved(
  account: CommitAccount,
  total: number,
  promised: readonly (readonly [units: number, holder: string])[],
): PropertyResult {
  const { used, committed, uncommitted } = account
  if (used + committed + uncommitted !== total)
    return `${used} used, ${committed} committed and ${uncommitted} uncommitted pages are not ${total}`
  const sum = promised.reduce((at, [units]) => at + units, 0)
  return sum === committed
    ? true
    : `${committed} pages are committed, but ${list(promised.map(([units, holder]) => `${holder} has ${units}`))}`
}

/** No translation that is used or could be leads to a free frame. */
export function noTranslationToFree(spaces: readonly AddressSpace[]): PropertyResult {
  if (!Array.isArray(spaces as unknown))
    throw new TypeError('noTranslationToFree: give a list of address spaces, [space]')
  for (const space of spaces) {
    for (const page of space.entries.keys()) {
      const current = space.translation(page)
      if (current && !space.frames.isAllocated(current.frame))
        return `page ${page} of ${space.name} is mapped to ${current.frame.name}, which is free`
      for (let cpu = 0; cpu < space.cpus; cpu++) {
        const stale = space.cached(cpu, page).find(({ frame }) => !space.frames.isAllocated(frame))
        if (stale)
          return `TLB ${cpu} may still reach ${showTranslation(stale)} through page ${page} of ${space.name}, and it is free; the page table says ${showTranslation(current)}`
      }
    }
  }
  return true
}

/** No TLB holds another translation than the page table: to be asked after an invalidation or shootdown. */
export function noStaleTranslation(
  space: AddressSpace,
  pages: readonly number[] = [...space.entries.keys()],
): PropertyResult {
  for (const page of pages) {
    const current = space.translation(page)
    for (let cpu = 0; cpu < space.cpus; cpu++) {
      const stale = space
        .cached(cpu, page)
        .find(({ frame, writable }) => frame !== current?.frame || writable !== current.writable)
      if (stale)
        return `TLB ${cpu} may still translate page ${page} of ${space.name} to ${showTranslation(stale)}; the page table says ${showTranslation(current)}`
    }
  }
  return true
}

/** Lock balance: every lock is free. */
export function locksAreFree(
  locks: readonly { readonly name: string; readonly owner: { readonly name: string } | null }[],
): PropertyResult {
  const held = locks.find(({ owner }) => owner !== null)
  return held ? `${held.owner?.name} still holds ${held.name}` : true
}

/** A user access reaches an allocated frame only: to be asked before it. */
export function reachesAllocated(frames: FrameStore, frame: Instance<Frame>, who: string): PropertyResult {
  return frames.isAllocated(frame) || `${who} reaches ${frame.name}, which is free`
}

/** Two descriptions of the same thing are equal, such as before and after an operation that failed. */
export function sameAs(before: string, after: string): PropertyResult {
  return before === after || `it was [${before}] and is [${after}]`
}

/** A range of pages, half open, and what is there. */
export type Extent = readonly [start: number, end: number, what: string]

/** Extents tile `[start, end)`: each page is covered exactly once. */
export function tiles(extents: readonly Extent[], start: number, end: number): PropertyResult {
  for (let page = start; page < end; page++) {
    const covering = extents.filter(([from, to]) => from <= page && page < to)
    if (covering.length !== 1)
      return `page ${page} is covered by ${list(covering.map(([from, to, what]) => `${what} [${from},${to})`))}`
  }
  return true
}

/** Observational equivalence to a map with one entry a page: what each page shows is what it should. */
export function agreesWithReference(observed: readonly string[], expected: readonly string[]): PropertyResult {
  const page = expected.findIndex((what, i) => observed[i] !== what)
  return page < 0 ? true : `page ${page} is ${observed[page] ?? 'missing'}; page by page it should be ${expected[page]}`
}
