// Phoenix-RTOS: a vfork fails, and its parent waits for the zombie that it leaves.
//
// Claim: the child of a failed vfork becomes a zombie, and its parent never learns of it. Waiting for it inside vfork
//   hangs unless waitpid returns when there is no such child (any more): another thread of the parent may have taken
//   the zombie, and its pid may be another process's by then. The kernel waits so, and checks the pid's parent
//   (posix_getppid).
//
// Source: phoenix-rtos-kernel 352739d1, bf9b0ded and f5eea27f of May 2026; wait-by-pid is the first form of the pull
// request.
import {
  type Instance,
  type Machine,
  type Program,
  atomically,
  bool,
  boolean,
  choice,
  int,
  model,
  oneOf,
  range,
  struct,
  when,
} from 'vmcheck'
import { FailureBudget, Mutex, WaitChannel } from 'vmcheck/vm'

/** process_info_t of a pid. */
interface Info {
  used: boolean
  parent: number
  zombie: boolean
}

/** process_spawn_t: how far a vfork has come. */
interface Spawn {
  state: 'initial' | 'forking' | 'forked' | 'failed'
}

const PARENT = 0
const OTHER = 1
const InfoStruct = struct<Info>('posix', { used: bool, parent: range(0, 1), zombie: bool })
const SpawnStruct = struct<Spawn>('spawn', { state: oneOf('initial', 'forking', 'forked', 'failed') })
const ReusedStruct = struct<{ done: boolean }>('reuse', { done: bool })

/** How the parent deals with a vfork that failed: not at all, by the pid alone, by the parent's pid. */
type Waiting = 'none' | 'any-info' | 'own-child'

interface Kernel {
  readonly m: Machine
  readonly budget: FailureBudget
  readonly waiting: Waiting
  /** bf9b0ded: waitpid returns ECHILD when no child or zombie matches. */
  readonly aliveCheck: boolean
  /** f5eea27f: a failing posix_clone ends the child. */
  readonly cloneFix: boolean
  readonly lock: Mutex
  readonly event: WaitChannel
  /** By pid; the last one is another child, which lives on. */
  readonly info: readonly Instance<Info>[]
}

/** posix_waitpid of the parent, for one pid or any child. */
function* posixWaitpid({ lock, event, info, aliveCheck }: Kernel, pid: number | null): Program<'reaped' | 'ECHILD'> {
  yield* lock.acquire()
  for (;;) {
    const children = info.filter(({ used, parent }) => used && parent === PARENT)
    const matching = children.filter((child) => pid === null || child === info[pid])
    const zombie = matching.find((child) => child.zombie)
    if (zombie) {
      zombie.used = false
      zombie.zombie = false
      yield* lock.release()
      return 'reaped'
    }
    if ((aliveCheck ? matching : children).length === 0) {
      yield* lock.release()
      return 'ECHILD'
    }
    yield* event.assertWait()
    yield* lock.release()
    yield* event.block()
    yield* lock.acquire()
  }
}

/** posix_getppid: the parent of a pid, or null where there is no such process. */
function* posixGetppid({ lock, info }: Kernel, pid: number): Program<number | null> {
  yield* lock.acquire()
  const found = info[pid]?.used ? info[pid].parent : null
  yield* lock.release()
  return found
}

/** proc_vfork, the parent's side. */
function vforkParent(kernel: Kernel, pid: number, spawn: Instance<Spawn>): () => Program {
  const { waiting } = kernel
  return function* procVfork() {
    yield* atomically(() => {
      spawn.state = 'forking'
    })
    const failed = yield* when(
      () => spawn.state === 'forked' || spawn.state === 'failed',
      () => spawn.state === 'failed',
    )
    if (!failed || waiting === 'none') return
    const parent = yield* posixGetppid(kernel, pid)
    if (waiting === 'any-info' ? parent !== null : parent === PARENT) yield* posixWaitpid(kernel, pid)
  }
}

/** proc_vfork, the child's side, and the reaper that ends it. */
function vforkChild(kernel: Kernel, pid: number, spawn: Instance<Spawn>): () => Program {
  const { m, budget, cloneFix, info, lock, event } = kernel
  const mine = info[pid] as Instance<Info>
  return function* child() {
    const noInfo = yield* atomically(() => budget.strikes('process info'))
    if (!noInfo) {
      yield* lock.acquire()
      mine.used = true
      yield* lock.release()
    }
    yield* when(() => spawn.state === 'forking')
    const fails = (noInfo && cloneFix) || (yield* atomically(() => budget.strikes('a kernel stack')))
    yield* atomically(() => {
      spawn.state = fails ? 'failed' : 'forked'
    })
    if (!fails) {
      m.assert(() => mine.used, 'a process that runs has process info')
      yield* lock.acquire()
      mine.used = false
      yield* lock.release()
      return
    }
    if (noInfo) return
    yield* lock.acquire()
    mine.zombie = true
    yield* event.wakeup()
    yield* lock.release()
  }
}

export default model({
  title: 'Phoenix-RTOS: a failed vfork, and the wait for its zombie',
  params: {
    waiting: choice('none', 'any-info', 'own-child'),
    aliveCheck: boolean(false),
    cloneFix: boolean(true),
    /** Another process may get the pid once it is free. */
    reuse: boolean(false),
    /** Whether the parent's other thread waits for any child. */
    waiter: boolean(true),
    vforks: int(1, { min: 1, max: 2 }),
    failing: int(0, { min: 0, max: 2 }),
  },
  scenarios: {
    'no-wait': {
      formerly: 's14-v0',
      about: 'vfork does not wait: the zombie stays',
      params: { waiter: false },
      expect: { verdict: 'at-rest', property: 'a failed vfork leaves no process info behind', states: 26 },
    },
    'wait-by-pid': {
      formerly: 's14-v1',
      about: 'waiting by pid: the pid is another process’s by then',
      params: { waiting: 'any-info', reuse: true },
      expect: { verdict: 'lost-wakeup', states: 178 },
    },
    'wait-own-child': {
      formerly: 's14-v2',
      about: 'waiting for a child of its own: the other thread has taken the zombie',
      params: { waiting: 'own-child' },
      expect: { verdict: 'lost-wakeup', states: 104 },
    },
    'wait-child-fixed': {
      formerly: 's14-v3',
      about: 'the kernel as it is: waitpid returns ECHILD',
      params: { waiting: 'own-child', aliveCheck: true, reuse: true },
      expect: { verdict: 'pass', states: 227 },
    },
    'no-process-info': {
      formerly: 's14-clone',
      about: 'process info cannot be allocated, and the child runs without',
      params: { waiting: 'own-child', aliveCheck: true, cloneFix: false, failing: 1 },
      expect: { verdict: 'assertion', property: 'a process that runs has process info', states: 21 },
    },
    'no-process-info-fixed': {
      formerly: 's14-clone-fixed',
      about: 'fixed: vfork fails',
      params: { waiting: 'own-child', aliveCheck: true, failing: 1 },
      expect: { verdict: 'pass', states: 24 },
    },
    'two-vforks': {
      formerly: 's14-large',
      about: 'two vforks',
      params: { waiting: 'own-child', vforks: 2 },
      expect: { verdict: 'lost-wakeup', states: 4_438 },
      large: true,
    },
    'two-vforks-fixed': {
      formerly: 's14-large-fixed',
      about: 'the kernel as it is, two vforks',
      params: { waiting: 'own-child', aliveCheck: true, reuse: true, vforks: 2 },
      expect: { verdict: 'pass', states: 11_510 },
      large: true,
    },
  },
  machine(m, { waiting, aliveCheck, cloneFix, reuse, waiter, vforks, failing }) {
    const budget = new FailureBudget(m, { failures: vforks, only: failing || null })
    const kernel: Kernel = {
      m,
      budget,
      waiting,
      aliveCheck,
      cloneFix,
      lock: new Mutex(m, 'posix_common.lock'),
      event: new WaitChannel(m, 'posix.wait'),
      info: m.array(InfoStruct, vforks + 1, 'process', (pid) => ({ used: pid === vforks })),
    }
    const { info, lock } = kernel
    const children = info.slice(0, vforks)
    const reused = m.struct(ReusedStruct, 'reuse')
    const spawns = m.array(SpawnStruct, vforks, 'spawn')
    spawns.forEach((spawn, pid) => {
      m.thread(vforkParent(kernel, pid, spawn))
      m.thread(vforkChild(kernel, pid, spawn))
    })
    if (waiter) {
      m.thread(
        function* waitAny() {
          for (let i = 0; i < vforks; i++) yield* posixWaitpid(kernel, null)
        },
        { daemon: true },
      )
    }
    if (reuse) {
      m.thread(
        function* otherProcess() {
          yield* when(() => spawns[0]?.state === 'failed')
          yield* lock.acquire()
          if (info[0] && !info[0].used) {
            info[0].used = true
            info[0].parent = OTHER
            reused.done = true
          }
          yield* lock.release()
        },
        { daemon: true },
      )
    }
    m.atRest('a failed vfork leaves no process info behind', () => {
      const left = children.find(({ used, zombie, parent }) => used && zombie && parent === PARENT)
      return !left || `${left.name} is a zombie that no process waits for`
    })
    m.sometimes('a vfork fails', () => spawns.some(({ state }) => state === 'failed'))
    if (reuse && waiting !== 'none') m.sometimes('the pid is reused', () => reused.done)
    if (failing === 0) m.sometimes('a zombie waits to be taken', () => children.some(({ zombie }) => zombie))
  },
})
