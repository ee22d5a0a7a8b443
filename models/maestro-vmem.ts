// Maestro: transactions on page tables, and what their rollbacks leave.
//
// Claim 1 (unlogged-*): a change of a single page is applied before it is logged. When the log cannot grow, nothing
//   undoes the change: a page of valid memory stays unmapped, and an access to it gets a signal. A change of a range
//   reserves its room beforehand.
// Claim 2 (rollback-*): a rollback restores page tables, but not the frames that were replaced meanwhile. The page
//   table maps the old frame again, which the process no longer holds, and the TLB may still hold the new one.
// Claim 3 (unwrap-*): the last mapping of a copy-on-write fault is unwrapped without a check, and can fail.
// Removing the transactions (ba498f34) ended all three: a fault maps what is not mapped.
//
// Source: Maestro, from before 0da27b98 to ba498f34 of April 2025.
import { type Program, atomically, boolean, choice, int, model, oneOf, struct } from 'vmcheck'
import { FailureBudget, FrameStore, showTranslation } from 'vmcheck/vm'
import {
  EPOCHS,
  FOREIGN,
  type Kernel,
  type Process,
  exit,
  makeLog,
  makePrivate,
  makeProcess,
  makeResident,
  properties,
  userRead,
  userWrite,
  vmemEnd,
  vmemUnmapRange,
} from './maestro/vmem.ts'

const ResultStruct = struct<{ code: 'none' | 'ok' | 'ENOMEM' }>('result', { code: oneOf('none', 'ok', 'ENOMEM') })

/** A page that is mapped is mapped to the frame of its slot. */
function pageTableMatchesSlots({ name, slots, vmem }: Process): true | string {
  for (const [page, { frame }] of slots.entries()) {
    const found = vmem.translation(page)
    if (found && found.frame !== frame)
      return `page ${page} of ${name} is mapped to ${showTranslation(found)}, and its slot holds ${frame?.name ?? 'nothing'}`
  }
  return true
}

/** munmap in a transaction: the mapping goes, or the page tables are as before. */
function* munmap(kernel: Kernel, process: Process, pages: number): Program<'ok' | 'ENOMEM'> {
  const isDiscarded = yield* atomically(() => !kernel.budget.strikes('a discarded key'))
  const isUnmapped = isDiscarded && (yield* vmemUnmapRange(kernel, process, 0, pages))
  const isReplaced = isUnmapped && (yield* atomically(() => !kernel.budget.strikes('the gap in its place')))
  yield* vmemEnd(kernel, process, isReplaced ? 'commit' : 'rollback')
  if (!isReplaced) return 'ENOMEM'
  yield* atomically(() => {
    for (const slot of process.slots.slice(0, pages)) {
      if (slot.frame) kernel.frames.release(slot.frame)
      slot.frame = null
    }
  })
  return 'ok'
}

/** The kernel makes a range writable for itself, in one transaction. */
function* populate(kernel: Kernel, process: Process): Program<'ok' | 'ENOMEM'> {
  for (const page of process.slots.keys()) {
    const outcome = yield* makePrivate(kernel, process, page)
    if (outcome === 'ok') continue
    yield* vmemEnd(kernel, process, 'rollback')
    return 'ENOMEM'
  }
  yield* vmemEnd(kernel, process, 'commit')
  return 'ok'
}

export default model({
  title: 'Maestro: page tables and their transactions',
  params: {
    call: choice('munmap', 'populate', 'write'),
    epoch: choice('0da27b98', 'before-0da27b98', 'ba498f34').formerly({
      E0: 'before-0da27b98',
      E1: '0da27b98',
      E2: 'ba498f34',
    }),
    reserves: boolean(false),
    pages: int(1, { min: 1, max: 3 }),
    failures: int(1, { min: 0, max: 2 }),
    failing: int(0, { min: 0, max: 9 }),
    /** Frames that are free before the call. */
    free: int(2, { min: 0, max: 4 }),
    /** Whether the other process exits after the call, its frames being taken by another. */
    childExits: boolean(false),
  },
  scenarios: {
    unlogged: {
      formerly: 's4a',
      about: 'a change is applied before it is logged, and the log cannot grow: valid memory gets a signal',
      expect: { verdict: 'assertion', property: 'valid memory gets no signal', states: 17 },
    },
    'unlogged-range': {
      formerly: 's4a-range',
      about: 'control: a range of two pages, whose log is reserved',
      params: { pages: 2 },
      expect: { verdict: 'pass', states: 13 },
    },
    'unlogged-reserved': {
      formerly: 's4a-reserved',
      about: 'fixed: the log is reserved',
      params: { reserves: true },
      expect: { verdict: 'pass', states: 13 },
    },
    'unlogged-removed': {
      formerly: 's4a-e2',
      about: 'fixed by ba498f34: no transactions',
      params: { epoch: 'ba498f34' },
      expect: { verdict: 'pass', states: 18 },
    },
    'rollback-stale': {
      formerly: 's4b',
      about: 'the rollback maps a frame that the process has given up, and invalidates nothing',
      params: { call: 'populate', pages: 2, failures: 0, free: 1 },
      expect: { verdict: 'at-rest', property: 'no translation is stale', states: 16 },
    },
    'rollback-free': {
      formerly: 's4b-free',
      about: 'the child exits, and the page table maps a free frame',
      params: { call: 'populate', pages: 2, failures: 0, free: 1, childExits: true },
      expect: { verdict: 'assertion', property: 'no access reaches a foreign frame', states: 18 },
    },
    'rollback-removed': {
      formerly: 's4b-e2',
      about: 'fixed by ba498f34: no transactions',
      params: { call: 'populate', pages: 2, failures: 0, free: 1, childExits: true, epoch: 'ba498f34' },
      expect: { verdict: 'pass', states: 17 },
    },
    unwrap: {
      formerly: 's4c',
      about: 'the last mapping of a copy-on-write fault cannot be logged',
      params: { call: 'write', failing: 4 },
      expect: { verdict: 'assertion', property: 'the kernel does not panic', states: 9 },
    },
    'unwrap-removed': {
      formerly: 's4c-e2',
      about: 'fixed by ba498f34: no transactions',
      params: { call: 'write', epoch: 'ba498f34' },
      expect: { verdict: 'pass', states: 16 },
    },
    'three-pages': {
      formerly: 's4-large',
      about: 'three pages and two failures anywhere',
      params: { call: 'populate', pages: 3, failures: 2, free: 3, childExits: true },
      expect: { verdict: 'assertion', property: 'the kernel does not panic', states: 24 },
    },
    'three-pages-removed': {
      formerly: 's4-large-e2',
      about: 'fixed by ba498f34, three pages and two failures anywhere',
      params: { call: 'populate', pages: 3, failures: 2, free: 3, childExits: true, epoch: 'ba498f34' },
      expect: { verdict: 'pass', states: 50 },
    },
  },
  machine(m, params) {
    const isShared = params.call !== 'munmap'
    const budget = new FailureBudget(m, { failures: params.failures, only: params.failing || null })
    const frames = new FrameStore(m, { frames: params.pages + params.free })
    const kernel: Kernel = {
      m,
      ...EPOCHS[params.epoch],
      reserves: params.reserves,
      writesThroughPage: false,
      budget,
      frames,
      log: makeLog(m),
    }
    const process = makeProcess(m, 'parent', frames, params.pages)
    const child = makeProcess(m, 'child', frames, params.pages)
    makeResident(frames, process, isShared ? child : null)
    const result = m.struct(ResultStruct, 'result')

    m.thread(function* program(): Program {
      if (params.call === 'write') {
        const written = yield* userWrite(kernel, process, 0, 7)
        result.code = written ? 'ok' : 'ENOMEM'
        return
      }
      yield* userRead(kernel, process, 0)
      result.code =
        params.call === 'munmap' ? yield* munmap(kernel, process, params.pages) : yield* populate(kernel, process)
      if (params.childExits) {
        yield* exit(kernel, child)
        yield* atomically(() => frames.allocate(FOREIGN))
      }
      if (result.code === 'ok' && params.call === 'munmap') return
      const value = yield* userRead(kernel, process, 0)
      m.assert(value !== null, 'valid memory gets no signal')
    })

    m.atRest('page tables map what the slots hold', () => pageTableMatchesSlots(process))
    properties(m, frames, [process, child], params.childExits ? 1 : 0)
    if (params.failures > 0) m.sometimes('an allocation fails', () => budget.hasStruck)
    m.sometimes('the call succeeds or fails', () => result.code !== 'none')
  },
})
