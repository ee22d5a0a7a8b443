// Maestro kernel/src/process/mem_space/mod.rs: map, unmap and MAP_FIXED as transactions. The space's lock is held.
import type { Program } from 'vmcheck'
import { type MemSpace, type Outcome, allocate, commit, consume, insert, remove, rollback } from './transaction.ts'
import type { Found, Protection } from './tree.ts'

const BYTES_OF_PAGE = 4096

/** unmap: the range becomes one gap, joined with its neighbours. */
export function* unmap(space: MemSpace, addr: number, size: number): Program<Outcome> {
  return yield* finish(space, yield* unmapImpl(space, addr, size, false))
}

/** map at or near a hint: the first page of the mapping, or null. */
export function* map(space: MemSpace, hint: number, size: number): Program<number | null> {
  const gap = findGap(space, hint, size)
  if (!gap) return null
  const begin = hint >= gap.begin && hint + size <= gap.begin + gap.size ? hint : gap.begin
  const used = yield* useGap(space, gap, begin - gap.begin, begin - gap.begin + size)
  const outcome = used === 'ok' ? yield* insertMapping(space, begin, size) : used
  return (yield* finish(space, outcome)) === 'ok' ? begin : null
}

/** map with MAP_FIXED: whatever is in the range goes. */
export function* mapFixed(space: MemSpace, addr: number, size: number): Program<Outcome> {
  return yield* finish(space, yield* mapFixedImpl(space, addr, size))
}

function* mapFixedImpl(space: MemSpace, addr: number, size: number): Program<Outcome> {
  const unmapped = yield* unmapImpl(space, addr, size, true)
  if (unmapped !== 'ok') return unmapped
  if (!(yield* allocate(space, 'the list of gaps'))) return 'ENOMEM'
  for (const gap of space.gaps
    .ranges(space.skipDiscarded)
    .filter(({ begin, size: pages }) => begin < addr + size && begin + pages > addr)) {
    const [from, to] = fixedRange(space, gap, addr, size)
    const used = yield* useGap(space, gap, from, to)
    if (used !== 'ok') return used
  }
  return yield* insertMapping(space, addr, size)
}

/** Which part of a gap MAP_FIXED takes it to use, counted from the gap's begin. */
function fixedRange(
  { remainder }: MemSpace,
  gap: Found,
  addr: number,
  size: number,
): readonly [from: number, to: number] {
  const end = addr + size
  if (remainder === 'bytes') return [addr * BYTES_OF_PAGE, end * BYTES_OF_PAGE]
  return [
    Math.max(0, addr - gap.begin),
    remainder === 'absolute-end' ? end : Math.min(end, gap.begin + gap.size) - gap.begin,
  ]
}

/** set_prot: another protection for a range. A mapping within the range is changed in place, past the transaction (protectsInPlace), or put in again. */
export function* setProt(space: MemSpace, addr: number, size: number, prot: Protection): Program<Outcome> {
  return yield* finish(space, yield* setProtImpl(space, addr, addr + size, prot))
}

function* setProtImpl(space: MemSpace, addr: number, end: number, prot: Protection): Program<Outcome> {
  for (let at = addr; at < end;) {
    const mapping = space.mappings.find(at, space.skipDiscarded)
    if (!mapping) return 'ENOMEM'
    const upTo = Math.min(end, mapping.begin + mapping.size)
    const isWhole = mapping.begin === at && mapping.begin + mapping.size === upTo
    if (isWhole && space.protectsInPlace) space.mappings.at(at).prot = prot
    else {
      const cut = isWhole ? 'ok' : yield* cutMapping(space, mapping, at, upTo - at)
      if (cut !== 'ok') return cut
      const inserted = yield* insert(space, space.mappings, { begin: at, size: upTo - at, prot })
      if (inserted !== 'ok') return inserted
    }
    at = upTo
  }
  return 'ok'
}

/** Ends a transaction either way. */
export function* finish(space: MemSpace, outcome: Outcome): Program<Outcome> {
  if (outcome === 'ok') commit(space)
  else yield* rollback(space)
  return outcome
}

/** The gap that contains the hint, if the request fits there; else the first that is large enough. */
export function findGap({ gaps, skipDiscarded }: MemSpace, hint: number, size: number): Found | null {
  const hinted = gaps.find(hint, skipDiscarded)
  if (hinted && hint + size <= hinted.begin + hinted.size) return hinted
  return gaps.ranges(skipDiscarded).find((gap) => gap.size >= size) ?? null
}

/** A part of a gap is used: what is left of it goes back into the tree. */
export function* useGap(space: MemSpace, gap: Found, from: number, to: number): Program<Outcome> {
  const { left, right } = consume(gap, from, to)
  const removed = yield* remove(space, space.gaps, gap.begin)
  if (removed !== 'ok') return removed
  for (const rest of [left, right]) {
    const inserted = rest ? yield* insert(space, space.gaps, rest) : 'ok'
    if (inserted !== 'ok') return inserted
  }
  return 'ok'
}

export function* insertMapping(space: MemSpace, addr: number, size: number): Program<Outcome> {
  if (!(yield* allocate(space, 'the slots of a mapping'))) return 'ENOMEM'
  return yield* insert(space, space.mappings, { begin: addr, size, prot: 'rw' })
}

/** unmap_impl: takes a range out of every mapping that it meets; with `nogap` nothing is put in its place. */
export function* unmapImpl(space: MemSpace, addr: number, size: number, nogap: boolean): Program<Outcome> {
  for (let i = 0; i < size;) {
    const page = addr + i
    const mapping = space.mappings.find(page, space.skipDiscarded)
    if (!mapping) {
      i += 1
      continue
    }
    const n = Math.min(size - i, mapping.begin + mapping.size - page)
    i += n
    const cut = yield* cutMapping(space, mapping, page, n)
    if (cut !== 'ok') return cut
    const merged = nogap ? 'ok' : yield* insertGap(space, { begin: page, size: n, prot: 'rw' })
    if (merged !== 'ok') return merged
  }
  return 'ok'
}

/** A part of a mapping goes: the parts before and behind it become mappings of their own. */
export function* cutMapping(space: MemSpace, mapping: Found, page: number, n: number): Program<Outcome> {
  if (!(yield* allocate(space, 'the parts of a mapping'))) return 'ENOMEM'
  const { left, right } = consume(mapping, page - mapping.begin, page - mapping.begin + n)
  const removed = yield* remove(space, space.mappings, mapping.begin)
  if (removed !== 'ok') return removed
  for (const part of [left, right]) {
    const inserted = part ? yield* insert(space, space.mappings, part) : 'ok'
    if (inserted !== 'ok') return inserted
  }
  return 'ok'
}

/** A gap is inserted, joined with the gaps before and behind it. */
function* insertGap(space: MemSpace, gap: Found): Program<Outcome> {
  const { gaps, skipDiscarded } = space
  let { begin, size } = gap
  const before = begin > 0 ? gaps.find(begin - 1, skipDiscarded) : null
  if (before) {
    const removed = yield* remove(space, gaps, before.begin)
    if (removed !== 'ok') return removed
    size += begin - before.begin
    begin = before.begin
  }
  const behind = gaps.find(gap.begin + gap.size, skipDiscarded)
  if (behind) {
    const removed = yield* remove(space, gaps, behind.begin)
    if (removed !== 'ok') return removed
    size = behind.begin + behind.size - begin
  }
  return yield* insert(space, gaps, { begin, size, prot: 'rw' })
}
