// SerenityOS: the kernel's windows to physical memory, and the map from page-table roots to processes.
//
// Claim 1 (table-window-*): the one window to page tables is set only if it shows another table. A CPU whose TLB still
//   holds the window as that CPU left it then edits the wrong table. A note of what each CPU saw last mends that
//   (13aa3d2d62e), as long as the memory manager's lock is held; a window per CPU needs neither (a838fdfd889).
// Claim 2 (page-window-*): the window to pages is per CPU and used with interrupts off, so that the lock around it was
//   never needed (6cd36957610). With interrupts on, or one window for all CPUs, a thread reaches another page.
// Claim 3 (roots-*): after 6cd36957610 roots are inserted into a tree with only interrupts off. A fault on another CPU
//   does not find its own root while the tree is rotated. One lock for both (4c081e0479c) mends that.
//
// Source: SerenityOS, Kernel/Memory/MemoryManager.cpp and PageDirectory.cpp in August 2022.
import {
  type Cpu,
  type Instance,
  type Machine,
  type Program,
  type StructType,
  atomically,
  choice,
  int,
  model,
  published,
  readOnce,
  ref,
  struct,
} from 'vmcheck'
import {
  AddressSpace,
  type Frame,
  FrameStore,
  FrameStruct,
  Mutex,
  SpinLock,
  currentCpu,
  disableInterrupts,
  enableInterrupts,
  thisCpu,
} from 'vmcheck/vm'

const TARGET = 'an access through a window reaches what was mapped there'
const FOUND = 'a root that is registered is found'

/** What a CPU had in the window to page tables last. */
const LastStruct = struct<{ table: Instance<Frame> | null }>('last', { table: ref(FrameStruct) })

/** The window to page tables. */
interface TableWindow {
  readonly m: Machine
  readonly window: AddressSpace
  readonly last: readonly Instance<{ table: Instance<Frame> | null }>[]
  readonly perCpu: boolean
  readonly remembers: boolean
}

/** quickmap_pd and quickmap_pt, and an edit of the table. */
function* editTable({ m, window, last, perCpu, remembers }: TableWindow, cpu: number, table: Instance<Frame>): Program {
  const page = perCpu ? cpu : 0
  const seen = last[cpu] as Instance<{ table: Instance<Frame> | null }>
  const shows = yield* atomically(() => window.translation(page)?.frame ?? null)
  if (shows !== table) yield* atomically(() => window.set(page, table, true))
  const isStale = remembers && (yield* atomically(() => seen.table !== table))
  if (shows !== table || isStale) yield* atomically(() => window.invalidate(cpu, page))
  yield* atomically(() => {
    seen.table = table
  })
  yield* atomically(() => {
    const reached = window.access(cpu, page, 'write')?.frame
    m.assert(
      () =>
        reached === table ||
        `CPU ${cpu} edits ${reached?.name ?? 'nothing'} instead of ${table.name}; the page table says ${window.translation(page)?.frame.name}`,
      TARGET,
    )
  })
}

function tableWindow(
  m: Machine,
  variant: 'global' | 'global-last' | 'global-last-unlocked' | 'per-cpu',
  edits: readonly (readonly number[])[],
): void {
  const frames = new FrameStore(m, { frames: Math.max(...edits.flat()) + 1, name: 'table' })
  const tables = frames.frames.instances.map(() => frames.allocate() as Instance<Frame>)
  const perCpu = variant === 'per-cpu'
  const window = new AddressSpace(m, 'quickmap', { pages: perCpu ? edits.length : 1, frames, cpus: edits.length })
  const kernel: TableWindow = {
    m,
    window,
    perCpu,
    remembers: variant.includes('last'),
    last: m.array(LastStruct, edits.length, 'last'),
  }
  m.sometimes('every CPU has had the window', () => kernel.last.every(({ table }) => table !== null))
  const lock = new Mutex(m, 'MM')
  const isLocked = variant === 'global' || variant === 'global-last'
  edits.forEach((wanted, cpu) => {
    m.thread(function* editor() {
      for (const table of wanted) {
        if (isLocked) yield* lock.acquire()
        yield* editTable(kernel, cpu, tables[table] as Instance<Frame>)
        if (isLocked) yield* lock.release()
      }
    })
  })
}

/** How the window to pages is used. */
interface PageWindow {
  readonly m: Machine
  readonly window: AddressSpace
  readonly perCpu: boolean
  readonly interruptsOff: boolean
  /** QI, the lock of a CPU's window: it masks interrupts, does not, or is not taken. */
  readonly guard: 'masking' | 'plain' | 'none'
  readonly locks: readonly Mutex[]
  /** The memory manager's lock, if it is held throughout. */
  readonly manager: SpinLock | null
}

/** quickmap_page, a store, unquickmap_page. */
function* usePage(kernel: PageWindow, frame: Instance<Frame>): Program {
  const { m, window, interruptsOff, guard, manager } = kernel
  if (interruptsOff) yield* disableInterrupts()
  if (manager) yield* manager.acquire()
  if (guard === 'masking') yield* disableInterrupts()
  const cpu = yield* currentCpu()
  const page = pageOf(kernel, cpu)
  const lock = kernel.locks[cpu.index] as Mutex
  if (guard !== 'none') yield* lock.acquire()
  yield* atomically(() => {
    window.set(page, frame, true)
    window.invalidate(thisCpu(m).index, page)
  })
  yield* atomically(() => {
    const reached = window.access(thisCpu(m).index, page, 'write')?.frame
    m.assert(
      () => reached === frame || `${thisCpu(m).name} stores to ${reached?.name ?? 'nothing'} instead of ${frame.name}`,
      TARGET,
    )
  })
  yield* unmapPage(kernel)
  if (guard === 'masking') yield* enableInterrupts()
  if (manager) yield* manager.release()
  if (interruptsOff) yield* enableInterrupts()
}

/** unquickmap_page: clears the window of the CPU that it runs on by now. */
function* unmapPage(kernel: PageWindow): Program {
  const { m, window, guard, locks } = kernel
  const cpu = yield* currentCpu()
  const lock = locks[cpu.index] as Mutex
  const page = pageOf(kernel, cpu)
  if (guard !== 'none')
    m.assert(
      () =>
        lock.owner === m.self ||
        `${m.self.name} unmaps on ${cpu.name}, whose window ${lock.owner ? `${lock.owner.name} uses` : 'no thread uses'}`,
      'a CPU unmaps only its own window',
    )
  yield* atomically(() => {
    window.set(page, null)
    window.invalidate(thisCpu(m).index, page)
  })
  if (guard !== 'none') yield* lock.release()
}

function pageOf({ perCpu }: PageWindow, cpu: Cpu): number {
  return perCpu ? cpu.index : 0
}

const PAGE_WINDOWS = {
  'irq-off': { perCpu: true, interruptsOff: true, guard: 'masking', locked: false },
  'irq-on': { perCpu: true, interruptsOff: false, guard: 'masking', locked: false },
  'irq-on-plain': { perCpu: true, interruptsOff: false, guard: 'plain', locked: false },
  'irq-on-unguarded': { perCpu: true, interruptsOff: false, guard: 'none', locked: false },
  'global-unlocked': { perCpu: false, interruptsOff: true, guard: 'masking', locked: false },
  'global-locked': { perCpu: false, interruptsOff: true, guard: 'none', locked: true },
} as const

function pageWindow(m: Machine, variant: keyof typeof PAGE_WINDOWS, threads: number): void {
  const { locked, ...how } = PAGE_WINDOWS[variant]
  const cpus = [m.cpu(), m.cpu()]
  const frames = new FrameStore(m, { frames: threads })
  const window = new AddressSpace(m, 'quickmap', { pages: how.perCpu ? cpus.length : 1, frames, cpus: cpus.length })
  const kernel: PageWindow = {
    m,
    window,
    ...how,
    locks: cpus.map(({ index }) => new Mutex(m, `QI ${index}`, { waiting: 'spin', tryable: true })),
    manager: locked ? new SpinLock(m, 'MM', { interrupts: 'off' }) : null,
  }
  m.sometimes('a window shows a page', () => window.entries.some(({ frame }) => frame !== null))
  for (let i = 0; i < threads; i++) {
    const frame = frames.allocate() as Instance<Frame>
    m.thread(
      function* user() {
        yield* usePage(kernel, frame)
      },
      { on: cpus },
    )
  }
}

/** A page directory in the tree of roots. */
interface Directory {
  left: Instance<Directory> | null
  right: Instance<Directory> | null
}

const DirectoryStruct: StructType<Directory> = struct<Directory>('directory', {
  left: published(ref<Instance<Directory>>(() => DirectoryStruct)),
  right: published(ref<Instance<Directory>>(() => DirectoryStruct)),
})
const RootStruct = struct<{ top: Instance<Directory> | null }>('tree', { top: published(ref(DirectoryStruct)) })

/** The map from CR3 values, which are the directories' numbers, to directories. */
interface Roots {
  readonly m: Machine
  readonly tree: Instance<{ top: Instance<Directory> | null }>
  readonly directories: readonly Instance<Directory>[]
  readonly lock: Mutex
  /** 4c081e0479c: inserting takes the lock, too. */
  readonly locksInserts: boolean
}

function* insertRoot({ tree, directories, lock, locksInserts }: Roots, key: number): Program {
  if (locksInserts) yield* lock.acquire()
  const added = directories[key] as Instance<Directory>
  let grandparent: Instance<Directory> | null = null
  let parent = yield* readOnce(() => tree.top)
  for (;;) {
    const at: Instance<Directory> | null = parent
    const next: Instance<Directory> | null = at
      ? yield* readOnce(() => (directories.indexOf(at) < key ? at.right : at.left))
      : null
    if (!next) break
    grandparent = at
    parent = next
  }
  const isRight = parent !== null && directories.indexOf(parent) < key
  if (parent && isRight) parent.right = added
  if (parent && !isRight) parent.left = added
  if (grandparent && parent) yield* rotateLeft(tree, grandparent, parent)
  if (locksInserts) yield* lock.release()
}

/** The rotation at the top of the tree, pointer by pointer. */
function* rotateLeft(
  tree: Instance<{ top: Instance<Directory> | null }>,
  grandparent: Instance<Directory>,
  parent: Instance<Directory>,
): Program {
  const { top, isChain } = yield* readOnce(() => ({
    top: tree.top,
    isChain: grandparent.left === null && grandparent.right === parent,
  }))
  if (top !== grandparent || !isChain) return
  const inner = yield* readOnce(() => parent.left)
  grandparent.right = inner
  parent.left = grandparent
  tree.top = parent
}

/** A directory that nothing hangs below is taken out again, under the lock. */
function* removeRoot({ tree, directories, lock }: Roots, key: number): Program {
  yield* lock.acquire()
  const removed = directories[key] as Instance<Directory>
  const parent = yield* readOnce(() =>
    removed.left || removed.right || tree.top === removed
      ? null
      : (directories.find((at) => at.left === removed || at.right === removed) ?? null),
  )
  const isLeft = parent !== null && parent.left === removed
  if (parent && isLeft) parent.left = null
  if (parent && !isLeft) parent.right = null
  yield* lock.release()
}

/** A walk from the top of the tree. */
function isInTree({ tree, directories }: Roots, key: number): boolean {
  let at = tree.top
  for (let depth = 0; at && depth < directories.length; depth++) {
    const number = directories.indexOf(at)
    if (number === key) return true
    at = number < key ? at.right : at.left
  }
  return false
}

/** PageDirectory::find_current, in a fault. */
function* findRoot(roots: Roots, key: number): Program {
  const { m, lock } = roots
  yield* lock.acquire()
  const isFound = yield* readOnce(() => isInTree(roots, key))
  m.assert(isFound, FOUND)
  yield* lock.release()
}

function roots(
  m: Machine,
  locksInserts: boolean,
  inserts: readonly number[],
  lookups: readonly number[],
  removals: readonly number[],
): void {
  const directories = m.array(DirectoryStruct, 5, 'directory')
  const [, first, second] = directories
  const tree = m.struct(RootStruct, 'tree', { top: first ?? null })
  if (first) first.right = second ?? null
  const kernel: Roots = { m, tree, directories, lock: new Mutex(m, 'CR3'), locksInserts }
  for (const key of inserts) {
    m.thread(function* registerDirectory() {
      yield* insertRoot(kernel, key)
    })
  }
  for (const key of lookups) {
    m.thread(function* pageFault() {
      yield* findRoot(kernel, key)
    })
  }
  for (const key of removals) {
    m.thread(function* deregisterDirectory() {
      yield* removeRoot(kernel, key)
    })
  }
  m.atRest('every root that is registered is in the tree', () => {
    const lost = [...inserts, 2].find((key) => !isInTree(kernel, key))
    return lost === undefined || `directory[${lost}] is not found`
  })
  m.sometimes('a root is inserted', () => tree.top !== first)
}

export default model({
  title: 'SerenityOS: quickmaps and the map of page-table roots',
  params: {
    part: choice('table', 'page', 'roots'),
    tables: choice('global', 'global-last', 'global-last-unlocked', 'per-cpu'),
    pages: choice('irq-off', 'irq-on', 'irq-on-plain', 'irq-on-unguarded', 'global-unlocked', 'global-locked'),
    insert: choice('irq-off', 'locked'),
    /** CPUs with edits, threads with windows, or threads at the tree, beyond the fewest. */
    more: int(0, { min: 0, max: 1 }),
  },
  scenarios: {
    'table-window': {
      formerly: 's8-1',
      about: 'one window to page tables for all CPUs: a TLB still holds the table it showed before',
      expect: { verdict: 'assertion', property: TARGET, states: 42 },
    },
    'table-window-last': {
      formerly: 's8-1-last',
      about: 'fixed by 13aa3d2d62e: a note of what each CPU saw last',
      params: { tables: 'global-last' },
      expect: { verdict: 'pass', states: 54 },
    },
    'table-window-last-three': {
      formerly: 's8-1-large',
      about: 'fixed by 13aa3d2d62e, three CPUs and three edits',
      params: { tables: 'global-last', more: 1 },
      expect: { verdict: 'pass', states: 3_595 },
    },
    'table-window-unlocked': {
      formerly: 's8-1-unlocked',
      about: 'the note without the manager’s lock',
      params: { tables: 'global-last-unlocked' },
      expect: { verdict: 'assertion', property: TARGET, states: 92 },
    },
    'table-window-per-cpu': {
      formerly: 's8-1-per-cpu',
      about: 'fixed: a window per CPU',
      params: { tables: 'per-cpu' },
      expect: { verdict: 'pass', states: 66 },
    },
    'page-window': {
      formerly: 's8-2',
      about: 'a window to pages per CPU, interrupts off',
      params: { part: 'page' },
      expect: { verdict: 'pass', states: 383 },
    },
    'page-window-three': {
      formerly: 's8-2-large',
      about: 'the same with three threads',
      params: { part: 'page', more: 1 },
      expect: { verdict: 'pass', states: 2_799 },
      large: true,
    },
    'page-window-irq-on': {
      formerly: 's8-2-irq-on',
      about: 'interrupts on until the window’s lock masks them',
      params: { part: 'page', pages: 'irq-on' },
      expect: { verdict: 'pass', states: 279 },
    },
    'page-window-plain-lock': {
      formerly: 's8-2-plain',
      about: 'interrupts on, and the lock does not mask them',
      params: { part: 'page', pages: 'irq-on-plain' },
      expect: { verdict: 'assertion', property: 'a CPU unmaps only its own window', states: 283 },
    },
    'page-window-no-lock': {
      formerly: 's8-2-unguarded',
      about: 'interrupts on, and no lock',
      params: { part: 'page', pages: 'irq-on-unguarded' },
      expect: { verdict: 'assertion', property: TARGET, states: 271 },
    },
    'page-window-global': {
      formerly: 's8-2-global',
      about: 'one window to pages for all CPUs, without the manager’s lock',
      params: { part: 'page', pages: 'global-unlocked' },
      expect: { verdict: 'assertion', property: TARGET, states: 161 },
    },
    'page-window-global-locked': {
      formerly: 's8-2-global-locked',
      about: 'one window to pages for all CPUs, the manager’s lock held',
      params: { part: 'page', pages: 'global-locked' },
      expect: { verdict: 'pass', states: 275 },
    },
    roots: {
      formerly: 's8-3',
      about: 'a fault looks for its root while another root is inserted',
      params: { part: 'roots' },
      expect: { verdict: 'assertion', property: FOUND, states: 27 },
    },
    'roots-locked': {
      formerly: 's8-3-locked',
      about: 'fixed by 4c081e0479c: one lock for both',
      params: { part: 'roots', insert: 'locked' },
      expect: { verdict: 'pass', states: 24 },
    },
    'roots-three': {
      formerly: 's8-3-large',
      about: 'two inserts, a removal and two look-ups',
      params: { part: 'roots', more: 1 },
      expect: { verdict: 'assertion', property: FOUND, states: 628 },
    },
    'roots-three-locked': {
      formerly: 's8-3-large-locked',
      about: 'fixed by 4c081e0479c, two inserts, a removal and two look-ups',
      params: { part: 'roots', insert: 'locked', more: 1 },
      expect: { verdict: 'pass', states: 476 },
    },
  },
  machine(m, { part, tables, pages, insert, more }) {
    const isMore = more === 1
    if (part === 'table')
      tableWindow(
        m,
        tables,
        isMore
          ? [
              [0, 1, 2],
              [1, 2, 0],
              [2, 0, 1],
            ]
          : [[0, 1], [1]],
      )
    else if (part === 'page') pageWindow(m, pages, isMore ? 3 : 2)
    else roots(m, insert === 'locked', isMore ? [3, 4] : [3], isMore ? [2, 2] : [2], isMore ? [1] : [])
  },
})
