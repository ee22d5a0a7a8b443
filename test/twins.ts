/** A model on which a check fails, what is found, and its twin on which nothing is. */
export interface Twin {
  readonly outside?: string
  readonly broken: string
  readonly fixed: string
  readonly kind: string
  readonly says: RegExp
  readonly steps: number
  readonly stuck?: readonly number[]
}

/** Models by what they show. */
export const TWINS: Readonly<Record<string, Twin>> = {
  'lock order': {
    broken:
      'm.thread(function* a() { yield* lock.acquire(); yield* other.acquire(); yield* other.release(); yield* lock.release() }); m.thread(function* b() { yield* other.acquire(); yield* lock.acquire(); yield* lock.release(); yield* other.release() })',
    fixed:
      'const run = function* () { yield* lock.acquire(); yield* other.acquire(); yield* other.release(); yield* lock.release() }; m.thread(run); m.thread(run)',
    kind: 'deadlock',
    says: /a cycle of waits: CPU 0 \(a\/0\) waits for other \(acquire\), held by CPU 1; CPU 1 \(b\/1\) waits for lock/,
    steps: 2,
    stuck: [0, 1],
  },
  'waits for itself': {
    broken: 'm.thread(function* a() { yield* lock.acquire(); yield* lock.acquire() })',
    fixed:
      'm.thread(function* a() { yield* lock.acquire(); yield* lock.release(); yield* lock.acquire(); yield* lock.release() })',
    kind: 'deadlock',
    says: /waits for lock \(acquire\), which it holds itself/,
    steps: 1,
    stuck: [0],
  },
  'holder has finished': {
    broken:
      'm.thread(function* a() { yield* lock.acquire() }); m.thread(function* b() { yield* lock.acquire(); yield* lock.release() })',
    fixed:
      'm.thread(function* a() { yield* lock.acquire(); yield* lock.release() }); m.thread(function* b() { yield* lock.acquire(); yield* lock.release() })',
    kind: 'deadlock',
    says: /waits for lock \(acquire\), whose holder CPU 0 \(a\/0\) has finished/,
    steps: 1,
    stuck: [1],
  },
  'reader/writer upgrade': {
    broken:
      'const rw = new SleepLock(m, "rw"); const up = function* () { yield* rw.read(); yield* rw.write(); yield* rw.release(); yield* rw.release() }; m.thread(up); m.thread(up)',
    fixed:
      'const rw = new SleepLock(m, "rw"); const up = function* () { yield* rw.read(); yield* rw.release(); yield* rw.write(); yield* rw.release() }; m.thread(up); m.thread(up)',
    kind: 'deadlock',
    says: /rw/,
    steps: 2,
  },
  'lost wakeup': {
    broken:
      'const done = new WaitChannel(m, "done"); m.thread(function* waiter() { yield* lock.acquire(); const ready = x.v === 1; yield* lock.release(); if (!ready) { yield* done.assertWait(); yield* done.block() } }); m.thread(function* waker() { yield* lock.acquire(); x.v = 1; yield* lock.release(); yield* done.wakeup() })',
    fixed:
      'const done = new WaitChannel(m, "done"); m.thread(function* waiter() { yield* lock.acquire(); const ready = x.v === 1; if (!ready) yield* done.assertWait(); yield* lock.release(); if (!ready) yield* done.block() }); m.thread(function* waker() { yield* lock.acquire(); x.v = 1; yield* lock.release(); yield* done.wakeup() })',
    kind: 'lost-wakeup',
    says: /sleeps on done, and nobody is left who could wake it/,
    steps: 4,
    stuck: [0],
  },
  'Peterson’s algorithm without waiting for one’s turn': {
    outside:
      'const peterson = (m, mine, theirs, turn, me, inside, waits) => function* () { yield* atomically(() => { mine.v = 1 }); yield* atomically(() => { turn.v = 1 - me }); yield* when(() => theirs.v === 0 || (waits ? turn.v === me : true)); yield* atomically(() => { inside.v += 1; m.assert(inside.v === 1, "one at a time") }); yield* atomically(() => { inside.v -= 1; mine.v = 0 }) }',
    broken:
      'const t = m.struct(Cell, "turn"); const c = m.struct(Cell, "inside"); m.thread(peterson(m, x, y, t, 0, c, false)); m.thread(peterson(m, y, x, t, 1, c, false))',
    fixed:
      'const t = m.struct(Cell, "turn"); const c = m.struct(Cell, "inside"); m.thread(peterson(m, x, y, t, 0, c, true)); m.thread(peterson(m, y, x, t, 1, c, true))',
    kind: 'assertion',
    says: /one at a time/,
    steps: 8,
  },
  'a wedged pair while a third runs for ever': {
    broken:
      'm.thread(function* a() { yield* lock.acquire(); yield* other.acquire(); yield* other.release(); yield* lock.release() }); m.thread(function* b() { yield* other.acquire(); yield* lock.acquire(); yield* lock.release(); yield* other.release() }); m.thread(function* ticker() { for (;;) yield* pause() }, { endless: true })',
    fixed:
      'const run = function* () { yield* lock.acquire(); yield* other.acquire(); yield* other.release(); yield* lock.release() }; m.thread(run); m.thread(run); m.thread(function* ticker() { for (;;) yield* pause() }, { endless: true })',
    kind: 'deadlock',
    says: /a cycle of waits/,
    steps: 2,
    stuck: [0, 1],
  },
  'a sleeper forgotten while another runs for ever': {
    broken:
      'const c = new WaitChannel(m, "c"); m.thread(function* sleeper() { yield* c.assertWait(); yield* c.block() }); m.thread(function* ticker() { for (;;) yield* atomically(() => { x.v = 1 - x.v }) }, { endless: true })',
    fixed:
      'const c = new WaitChannel(m, "c"); m.thread(function* sleeper() { yield* c.assertWait(); yield* c.block() }); m.thread(function* ticker() { for (;;) yield* c.wakeup() }, { endless: true })',
    kind: 'lost-wakeup',
    says: /sleeps on c, and nobody is left/,
    steps: 1,
    stuck: [0],
  },
  'a spin that nobody ends': {
    broken: 'm.thread(function* spinner() { while ((yield* readOnce(() => x.v)) === 0) yield* pause() })',
    fixed:
      'm.thread(function* spinner() { while ((yield* readOnce(() => x.v)) === 0) yield* pause() }); m.thread(function* ender() { yield* atomically(() => { x.v = 1 }) })',
    kind: 'livelock',
    says: /loop|never all finish/,
    steps: 0,
  },
  'a one-step spin that nobody ends': {
    broken: 'm.thread(function* spinner() { while ((yield* readOnce(() => x.v)) === 0) void 0 })',
    fixed:
      'm.thread(function* spinner() { while ((yield* readOnce(() => x.v)) === 0) void 0 }); m.thread(function* ender() { yield* atomically(() => { x.v = 1 }) })',
    kind: 'livelock',
    says: /goes round in a loop that nobody will end/,
    steps: 0,
    stuck: [0],
  },
  'two that keep stepping aside': {
    broken:
      'const aside = (mine, theirs) => function* () { for (;;) { yield* atomically(() => { mine.v = 1 }); if ((yield* readOnce(() => theirs.v)) === 0) return; yield* atomically(() => { mine.v = 0 }) } }; m.thread(aside(x, x)); m.thread(aside(y, x))',
    fixed:
      'const aside = (mine, theirs) => function* () { for (;;) { yield* atomically(() => { mine.v = 1 }); if ((yield* readOnce(() => theirs.v)) === 0) { yield* atomically(() => { mine.v = 0 }); return } yield* atomically(() => { mine.v = 0 }) } }; m.thread(aside(x, y)); m.thread(aside(y, x))',
    kind: 'livelock',
    says: /can never all finish|goes round/,
    steps: 0,
  },
  'a data race after a release': {
    broken:
      'm.thread(function* a() { yield* lock.acquire(); yield* lock.release(); x.v = 1 }); m.thread(function* b() { yield* lock.acquire(); y.v = x.v; yield* lock.release() })',
    fixed:
      'm.thread(function* a() { yield* lock.acquire(); x.v = 1; yield* lock.release() }); m.thread(function* b() { yield* lock.acquire(); y.v = x.v; yield* lock.release() })',
    kind: 'data-race',
    says: /writes x\.v while|reads x\.v while/,
    steps: 1,
  },
  'a data race between a condition and a plain write': {
    broken: 'm.thread(function* a() { x.v = 1; y.v = 1 }); m.thread(function* b() { yield* when(() => x.v === 1) })',
    fixed:
      'm.thread(function* a() { yield* atomically(() => { x.v = 1; y.v = 1 }) }); m.thread(function* b() { yield* when(() => x.v === 1) })',
    kind: 'data-race',
    says: /x\.v/,
    steps: 0,
  },
  'both wanting one lock is no race': {
    broken:
      'm.thread(function* a() { yield* lock.acquire(); x.v = 1; yield* lock.release() }); m.thread(function* b() { x.v = 2 })',
    fixed:
      'const put = function* () { yield* lock.acquire(); x.v = 1; yield* lock.release() }; m.thread(put); m.thread(put)',
    kind: 'data-race',
    says: /x\.v/,
    steps: 0,
  },
  assertion: {
    broken: 'm.thread(function* a() { yield* pause(); m.assert(x.v === 1, "x is one") })',
    fixed: 'm.thread(function* a() { yield* pause(); x.v = 1; m.assert(x.v === 1, "x is one") })',
    kind: 'assertion',
    says: /^x is one$/,
    steps: 2,
  },
  'invariant when a lock is free': {
    broken:
      'm.invariant("x is y", () => x.v === y.v, { whenFree: lock }); m.thread(function* a() { yield* lock.acquire(); x.v = 1; yield* lock.release() })',
    fixed:
      'm.invariant("x is y", () => x.v === y.v, { whenFree: lock }); m.thread(function* a() { yield* lock.acquire(); x.v = 1; y.v = 1; yield* lock.release() })',
    kind: 'invariant',
    says: /"x is y" does not hold when lock is released/,
    steps: 1,
  },
  'invariant in every state': {
    broken:
      'm.always("x is not two", () => x.v !== 2); m.thread(function* a() { for (let i = 0; i < 3; i++) yield* atomically(() => { x.v += 1 }) })',
    fixed:
      'm.always("x is not four", () => x.v !== 4); m.thread(function* a() { for (let i = 0; i < 3; i++) yield* atomically(() => { x.v += 1 }) })',
    kind: 'invariant',
    says: /"x is not two" does not hold, as it should in every state/,
    steps: 2,
  },
  'invariant in the initial state': {
    broken:
      'm.invariant("x is one", () => x.v === 1, { whenFree: lock }); m.thread(function* a() { yield* lock.acquire(); yield* lock.release() })',
    fixed:
      'x.v = 1; m.invariant("x is one", () => x.v === 1, { whenFree: lock }); m.thread(function* a() { yield* lock.acquire(); yield* lock.release() })',
    kind: 'invariant',
    says: /in the initial state/,
    steps: 0,
  },
  'at rest': {
    broken:
      'm.atRest("x is two", () => x.v === 2); const add = function* () { const seen = yield* readOnce(() => x.v); yield* atomically(() => { x.v = seen + 1 }) }; m.thread(add); m.thread(add)',
    fixed:
      'm.atRest("x is two", () => x.v === 2); const add = function* () { yield* atomically(() => { x.v += 1 }) }; m.thread(add); m.thread(add)',
    kind: 'at-rest',
    says: /"x is two" does not hold at rest/,
    steps: 4,
  },
  'use after free': {
    broken:
      'const pool = m.pool(Cell, 1, "pool"); const a = pool.allocate({}); m.thread(function* user() { yield* pause(); yield* readOnce(() => a.v) }); m.thread(function* freer() { yield* atomically(() => pool.free(a)) })',
    fixed:
      'const pool = m.pool(Cell, 1, "pool"); const a = pool.allocate({}); m.thread(function* user() { yield* pause(); yield* readOnce(() => a.v); yield* atomically(() => pool.free(a)) })',
    kind: 'use-after-free',
    says: /pool\[0\] is used after it was freed/,
    steps: 3,
  },
  'double free': {
    broken:
      'const pool = m.pool(Cell, 1, "pool"); m.thread(function* user() { yield* pause(); const a = pool.allocate({}); if (a) { pool.free(a); pool.free(a) } })',
    fixed:
      'const pool = m.pool(Cell, 1, "pool"); m.thread(function* user() { yield* pause(); const a = pool.allocate({}); if (a) pool.free(a) })',
    kind: 'use-after-free',
    says: /pool\[0\]/,
    steps: 2,
  },
  'an allocation that fails unnoticed': {
    broken:
      'const pool = m.pool(Cell, 2, "pool", { fallible: true }); m.thread(function* user() { yield* pause(); const a = pool.allocate({}); a.v = 1 })',
    fixed:
      'const pool = m.pool(Cell, 2, "pool", { fallible: true }); m.thread(function* user() { yield* pause(); const a = pool.allocate({}); if (a) a.v = 1 })',
    kind: 'exception',
    says: /TypeError: Cannot set properties of null.*\(model\.ts:\d+\)/,
    steps: 1,
  },
  range: {
    broken: 'm.thread(function* a() { yield* pause(); x.v = 16 })',
    fixed: 'm.thread(function* a() { yield* pause(); x.v = 15 })',
    kind: 'range',
    says: /x\.v is u4 and cannot hold 16/,
    steps: 1,
  },
  exception: {
    broken: 'm.thread(function* a() { yield* pause(); throw new Error("panic") })',
    fixed: 'm.thread(function* a() { yield* pause(); try { throw new Error("panic") } catch { y.v = 1 } })',
    kind: 'exception',
    says: /Error: panic \(model\.ts:\d+\)/,
    steps: 1,
  },
  'sometimes never': {
    broken: 'm.sometimes("x is three", () => x.v === 3); m.thread(function* a() { x.v = 2 })',
    fixed: 'm.sometimes("x is three", () => x.v === 3); m.thread(function* a() { x.v = 3 })',
    kind: 'unreached',
    says: /"x is three" held in no reachable state/,
    steps: 0,
  },
  'a property never evaluated': {
    broken:
      'm.atRest("fine", () => true); m.thread(function* a() { for (;;) yield* atomically(() => { x.v = (x.v + 1) % 2 }) }, { daemon: true })',
    fixed: 'm.atRest("fine", () => true); m.thread(function* a() { yield* pause() })',
    kind: 'unreached',
    says: /"fine" was never evaluated/,
    steps: 0,
  },
  'a thread ends with a lock held': {
    broken: 'm.thread(function* a() { yield* lock.acquire(); if (m.choose(2) === 1) return; yield* lock.release() })',
    fixed:
      'm.thread(function* a() { yield* lock.acquire(); yield* lock.release() }); m.thread(function* b() { yield* other.acquire() }, { hands: [other] })',
    kind: 'imbalance',
    says: /CPU 0 \(a\/0\) ends with lock held/,
    steps: 1,
  },
  'a thread ends with preemption and interrupts off': {
    outside:
      "import { disableInterrupts, disablePreemption, enableInterrupts, enablePreemption } from 'vmcheck/vm'; void [enableInterrupts, enablePreemption]",
    broken: 'm.thread(function* a() { yield* disablePreemption(); yield* disableInterrupts() }, { on: m.cpu() })',
    fixed:
      'm.thread(function* a() { yield* disablePreemption(); yield* disableInterrupts(); yield* enableInterrupts(); yield* enablePreemption() }, { on: m.cpu() })',
    kind: 'imbalance',
    says: /ends with interrupts off and preemption off/,
    steps: 2,
  },
  'a thread alone on its CPU ends with preemption off': {
    outside: "import { disablePreemption, enablePreemption } from 'vmcheck/vm'; void enablePreemption",
    broken: 'm.thread(function* a() { yield* disablePreemption(); yield* pause() })',
    fixed: 'm.thread(function* a() { yield* disablePreemption(); yield* pause(); yield* enablePreemption() })',
    kind: 'imbalance',
    says: /CPU 0 \(a\/0\) ends with preemption off/,
    steps: 2,
  },
  'an interrupt handler ends with a lock held': {
    outside: "import { InterruptLine, SpinLock } from 'vmcheck/vm'",
    broken:
      'const cpu = m.cpu(); const irq = new InterruptLine(m, "irq"); const s = new SpinLock(m, "s"); irq.handle(cpu, function* h() { yield* s.acquire() }); m.thread(function* a() { yield* irq.send(cpu) })',
    fixed:
      'const cpu = m.cpu(); const irq = new InterruptLine(m, "irq"); const s = new SpinLock(m, "s"); irq.handle(cpu, function* h() { yield* s.acquire(); yield* s.release() }); m.thread(function* a() { yield* irq.send(cpu) })',
    kind: 'imbalance',
    says: /ends with s held/,
    steps: 3,
  },
  'a mutex is taken with a spin lock held': {
    outside: "import { SpinLock } from 'vmcheck/vm'",
    broken:
      'const s = new SpinLock(m, "s"); m.thread(function* a() { yield* s.acquire(); yield* lock.acquire(); yield* lock.release(); yield* s.release() })',
    fixed:
      'const s = new SpinLock(m, "s"); m.thread(function* a() { yield* lock.acquire(); yield* s.acquire(); yield* s.release(); yield* lock.release() })',
    kind: 'sleep-in-atomic',
    says: /CPU 0 \(a\/0\) may sleep in lock \(acquire\), although it holds the spin lock s/,
    steps: 1,
  },
  'a handler sleeps': {
    outside: "import { InterruptLine } from 'vmcheck/vm'",
    broken:
      'const cpu = m.cpu(); const irq = new InterruptLine(m, "irq"); irq.handle(cpu, function* h() { yield* lock.acquire(); yield* lock.release() }); m.thread(function* a() { yield* irq.send(cpu) })',
    fixed:
      'const cpu = m.cpu(); const irq = new InterruptLine(m, "irq"); irq.handle(cpu, function* h() { yield* pause() }); m.thread(function* a() { yield* irq.send(cpu) })',
    kind: 'sleep-in-atomic',
    says: /although it is an interrupt handler/,
    steps: 2,
  },
  'a thread alone on its CPU sleeps with interrupts off': {
    outside: "import { disableInterrupts, enableInterrupts } from 'vmcheck/vm'",
    broken:
      'm.thread(function* a() { yield* disableInterrupts(); yield* lock.acquire(); yield* lock.release(); yield* enableInterrupts() })',
    fixed:
      'm.thread(function* a() { yield* disableInterrupts(); yield* enableInterrupts(); yield* lock.acquire(); yield* lock.release() })',
    kind: 'sleep-in-atomic',
    says: /may sleep in lock \(acquire\), although interrupts are off/,
    steps: 1,
  },
}
