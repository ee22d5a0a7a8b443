import test from 'ava'
import type { Report } from '../../src/report/report.ts'
import { exploreText } from '../harness/run.ts'

/** A model around the body of its `machine(m)`. */
function model(machine: string): string {
  return `import { atomically, bool, model, pause, struct, u4, when } from 'vmcheck'
import { AddressSpace, FrameStore, HandoffLock, InterruptLine, RwSpinLock, Mutex, SleepLock, SpinLock, WaitChannel, currentCpu, disableInterrupts, disablePreemption, enableInterrupts, enablePreemption, thisCpu } from 'vmcheck/vm'
void [HandoffLock, RwSpinLock, SleepLock, pause, atomically, bool, when, AddressSpace, FrameStore, InterruptLine, Mutex, SpinLock, WaitChannel, currentCpu, disableInterrupts, disablePreemption, enableInterrupts, enablePreemption, thisCpu]
const Cell = struct<{ v: number }>('cell', { v: u4 })
export default model({ title: 'test', machine(m) {
const x = m.struct(Cell, 'x')
const lock = new SpinLock(m, 'lock')
const line = new InterruptLine(m, 'line')
const cpu = m.cpu()
void [x, lock, line, cpu]
${machine}
} })`
}

async function both(machine: string, noCheck: readonly string[] = []): Promise<readonly Report[]> {
  return [
    await exploreText(model(machine), { granularity: 'step', noCheck }),
    await exploreText(model(machine), { granularity: 'access', noCheck }),
  ]
}

async function verdict(machine: string, noCheck: readonly string[] = []): Promise<string> {
  const [step, access] = (await both(machine, noCheck)).map(
    (report) =>
      `${report.violations[0]?.kind ?? report.verdict}${report.violations[0] ? `: ${report.violations[0].property}` : ''}`,
  )
  return step === access ? (step as string) : `${step} by steps, ${access} by accesses`
}

const TWO_INCREMENTS = (before: string, after: string): string => `
for (let i = 0; i < 2; i++) m.thread(function* add() { ${before} const v = yield* atomically(() => x.v); yield* atomically(() => { x.v = v + 1 }); ${after} }, { on: cpu })
m.atRest('both are counted', () => x.v === 2 || \`x is \${x.v}\`)`

test('threads of one CPU preempt each other, unless preemption or interrupts are off', async (t) => {
  t.is(await verdict(TWO_INCREMENTS('', '')), 'at-rest: both are counted')
  t.is(await verdict(TWO_INCREMENTS('yield* disablePreemption();', 'yield* enablePreemption()')), 'pass')
  t.is(await verdict(TWO_INCREMENTS('yield* disableInterrupts();', 'yield* enableInterrupts()')), 'pass')
})

test('plain accesses of threads that preempt each other race; with preemption off they do not', async (t) => {
  const writers = (before: string, after: string): string =>
    `for (let i = 0; i < 2; i++) m.thread(function* set() { ${before} x.v = i; ${after} }, { on: cpu })`
  t.is(await verdict(writers('', '')), 'data-race: x.v')
  t.is(await verdict(writers('yield* disablePreemption();', 'yield* enablePreemption()')), 'pass')
})

test('who spins keeps its CPU from the holder only if it cannot be preempted', async (t) => {
  const threads = (off: string): string => `
m.thread(function* holder() { yield* lock.acquire(); yield* lock.release() }, { on: cpu })
m.thread(function* spinner() { ${off} yield* lock.acquire(); yield* lock.release() }, { on: cpu })`
  t.is(await verdict(threads('')), 'pass')
  t.is(await verdict(threads('yield* disableInterrupts();')), 'deadlock: no deadlock')
  t.is(await verdict(threads('yield* disablePreemption();')), 'deadlock: no deadlock')
})

test('a sleeper gives its CPU up, with interrupts off too, and gets it back', async (t) => {
  t.is(
    await verdict(
      `
const gate = new WaitChannel(m, 'gate')
m.thread(function* sleeper() { yield* disableInterrupts(); yield* gate.assertWait(); yield* gate.block(); yield* enableInterrupts() }, { on: cpu })
m.thread(function* waker() { yield* when(() => !gate.isEmpty); yield* gate.wakeup() }, { on: cpu })`,
      ['sleep-in-atomic'],
    ),
    'pass',
  )
  t.is(
    await verdict(
      `
const mutex = new Mutex(m, 'mutex')
m.thread(function* owner() { yield* mutex.acquire(); yield* atomically(() => { x.v += 1 }); yield* mutex.release() }, { on: cpu })
m.thread(function* waiter() { yield* disablePreemption(); yield* mutex.acquire(); yield* mutex.release(); yield* enablePreemption() }, { on: cpu })`,
      ['sleep-in-atomic'],
    ),
    'pass',
  )
})

test('a handler runs ahead of its CPU’s threads, once interrupts are on', async (t) => {
  const machine = (off: string, on: string): string => `
line.handle(cpu, function* count() { yield* atomically(() => { x.v += 1 }) })
m.thread(function* thread() { ${off} yield* line.send(cpu); const before = yield* atomically(() => x.v); m.assert(before === 0, 'the handler has not run'); ${on} yield* when(() => x.v === 1) }, { on: cpu })`
  t.is(await verdict(machine('yield* disableInterrupts();', 'yield* enableInterrupts();')), 'pass')
  t.is(await verdict(machine('', '')), 'assertion: the handler has not run')
})

test('an interrupt that could be taken before preemption is on again may still come later; one that waited for it may not', async (t) => {
  const machine = (options: string): string => `
const ipi = new InterruptLine(m, 'ipi', ${options})
const seen = m.struct(Cell, 'seen')
ipi.handle(cpu, function* look() { yield* atomically(() => { seen.v = x.v + 1 }) })
m.thread(function* thread() { yield* disablePreemption(); yield* ipi.send(cpu); yield* enablePreemption(); yield* atomically(() => { x.v = 1 }) }, { on: cpu })
m.sometimes('it came before', () => seen.v === 1); m.sometimes('it came after', () => seen.v === 2)`
  t.is(await verdict(machine('{}')), 'pass')
  t.is(await verdict(machine('{ deferred: true }')), 'unreached: it came after')
})

test('an interrupt that waited is taken before the thread continues', async (t) => {
  const machine = (off: string, on: string): string => `
line.handle(cpu, function* count() { yield* atomically(() => { x.v += 1 }) })
m.thread(function* thread() { ${off} yield* line.send(cpu); ${on} yield* atomically(() => { m.assert(x.v === 1, 'it was taken') }) }, { on: cpu })`
  t.is(await verdict(machine('yield* disableInterrupts();', 'yield* enableInterrupts();')), 'pass')
  t.is(await verdict(machine('', '')), 'assertion: it was taken')
})

test('a handler, too, switches on again what it has switched off', async (t) => {
  const machine = (end: string): string => `
const both = new SpinLock(m, 'both', { interrupts: 'off', preemption: 'off' })
line.handle(cpu, function* handler() { yield* both.acquire(); ${end} })
m.thread(function* thread() { yield* line.send(cpu) }, { on: cpu })`
  t.is(await verdict(machine('yield* both.release()')), 'pass')
  t.is(await verdict(machine('yield* both.word.release()')), 'imbalance: what was taken is given back')
})

test('no actor releases a lock that another one holds', async (t) => {
  const machine = (what: string): string => `
const inner = new SleepLock(m, 'inner')
m.thread(function* owner() { yield* inner.write(); yield* inner.setRecursive(); yield* inner.write(); yield* atomically(() => { x.v = 1 }); yield* when(() => x.v === 2); yield* inner.release(); yield* inner.clearRecursive(); yield* inner.release() })
m.thread(function* other() { yield* when(() => x.v === 1); ${what} yield* atomically(() => { x.v = 2 }) })`
  t.is(await verdict(machine('')), 'pass')
  t.is(await verdict(machine('yield* inner.release();')), 'exception: no exception')
  t.is(await verdict(machine('yield* inner.downgrade();')), 'exception: no exception')
})

test('a handler that wants a lock which its CPU’s thread holds hangs, unless the lock masks interrupts', async (t) => {
  const machine = (options: string): string => `
const guarded = new SpinLock(m, 'guarded', ${options})
line.handle(cpu, function* handler() { yield* guarded.word.acquire(); yield* guarded.word.release() })
m.thread(function* thread() { yield* guarded.acquire(); yield* guarded.release() }, { on: cpu })
m.thread(function* device() { yield* line.send(cpu) })`
  t.is(await verdict(machine('{}')), 'deadlock: no deadlock')
  t.is(await verdict(machine("{ interrupts: 'off' }")), 'pass')
})

test('a thread may migrate between its CPUs, but not with preemption off', async (t) => {
  const machine = (off: string, on: string): string => `
const cpus = [cpu, m.cpu()]
for (let i = 0; i < 2; i++) m.thread(function* wanderer() { ${off} const here = yield* currentCpu(); const there = yield* atomically(() => thisCpu(m)); m.assert(here === there, 'the thread stays'); ${on} }, { on: cpus })`
  t.is(await verdict(machine('', '')), 'assertion: the thread stays')
  t.is(await verdict(machine('yield* disablePreemption();', 'yield* enablePreemption();')), 'pass')
})

test('a thread stopped between two plain accesses races with the thread that has its CPU meanwhile', async (t) => {
  const machines = [
    `const off = new SpinLock(m, 'off', { preemption: 'off' })
m.thread(function* locked() { yield* off.acquire(); x.v += 1; yield* off.release() }, { on: cpu })
m.thread(function* forgot() { x.v += 1 }, { on: cpu })`,
    `line.handle(cpu, function* count() { x.v += 1; yield* atomically(() => { y.v = 1 }) })
m.thread(function* thread() { x.v += 1; yield* when(() => y.v === 1) }, { on: cpu })
m.thread(function* device() { yield* line.send(cpu) })`,
    `const mutex = new Mutex(m, 'mutex')
m.thread(function* sleeping() { yield* mutex.acquire(); x.v += 1; yield* mutex.release() }, { on: cpu })
m.thread(function* atomic() { yield* disablePreemption(); yield* atomically(() => { y.v = 1 }); x.v += 1; yield* enablePreemption() }, { on: cpu })`,
  ]
  for (const machine of machines) t.is(await verdict(`const y = m.struct(Cell, 'y')\n${machine}`), 'data-race: x.v')
})

test('going round in a loop is no progress, on a shared CPU either', async (t) => {
  const spin = (options: string): string => `
m.thread(function* spinner() { while ((yield* atomically(() => x.v)) === 0) {} for (;;) yield* pause() }, { on: ${options}, endless: true })
m.thread(function* other() { for (;;) yield* pause() }, { on: cpu, endless: true })`
  t.is(await verdict(spin('cpu')), 'livelock: every actor can go on')
  t.is(await verdict(spin('[cpu, m.cpu()]')), 'livelock: every actor can go on')
})

test('a handler that has begun must end', async (t) => {
  t.is(
    await verdict(`
const [a, b, second] = [new SpinLock(m, 'a'), new SpinLock(m, 'b'), m.cpu()]
line.handle(cpu, function* first() { yield* a.acquire(); yield* b.acquire(); yield* b.release(); yield* a.release() })
line.handle(second, function* other() { yield* b.acquire(); yield* a.acquire(); yield* a.release(); yield* b.release() })
m.thread(function* device() { yield* line.send(cpu); yield* line.send(second) })`),
    'deadlock: no deadlock',
  )
})

test('locks are used as they are meant', async (t) => {
  t.is(
    await verdict(
      "const l = new HandoffLock(m, 'l', 2)\nm.thread(function* twice() { yield* l.acquire(); yield* l.acquire(); yield* l.release(); yield* l.release() })",
    ),
    'deadlock: no deadlock',
  )
  t.is(
    await verdict("const l = new RwSpinLock(m, 'l')\nm.thread(function* twice() { yield* l.read(); yield* l.read() })"),
    'exception: no exception',
  )
  t.is(
    await verdict('m.thread(function* guard() { yield* when(() => thisCpu(m) === cpu) }, { on: cpu })'),
    'exception: no exception',
  )
})

test('a writer that waits holds readers off, where the lock says so', async (t) => {
  const threads = (options: string): string => `
const l = new RwSpinLock(m, 'l', ${options})
m.thread(function* reader() { yield* l.read(); yield* when(() => x.v === 1); yield* l.release() })
m.thread(function* second() { yield* l.read(); yield* atomically(() => { x.v = 1 }); yield* l.release() })
m.thread(function* writer() { yield* l.write(); yield* l.release() })`
  t.is(await verdict(threads('{}')), 'pass')
  t.is(await verdict(threads('{ prefersWriters: true }')), 'deadlock: no deadlock')
})

test('threads share only CPUs made for it', async (t) => {
  const refused = async (machine: string): Promise<string> =>
    exploreText(model(machine)).then(
      () => '',
      (error: Error) => error.message,
    )
  t.regex(
    await refused('const [own] = m.cpus(1, () => function* a() {}); m.thread(function* b() {}, { on: own.cpu })'),
    /several actors share CPUs made by m\.cpu\(\) only/,
  )
  t.regex(await refused('m.thread(function* b() {}, { on: [] })'), /several actors share CPUs made by m\.cpu\(\) only/)
})

/** A page that is mapped again, on a machine whose TLB fills and evicts by steps of its own, or as a set of what it may hold. */
function remapping(isExplicit: boolean, invalidates: boolean): string {
  const set = `
const frames = new FrameStore(m, { frames: 2 })
const [a, b] = [frames.allocate(1), frames.allocate(2)]
const space = new AddressSpace(m, 'space', { pages: 1, frames, cpus: 1 })
space.set(0, a); space.bind(0)
const read = () => space.access(0, 0, 'read').frame.content
const write = () => space.set(0, b)
const invalidate = () => space.invalidate(0, 0)`
  const explicit = `
const table = m.struct(Cell, 'table', { v: 1 })
const tlb = m.struct(Cell, 'tlb')
m.thread(function* hardware() { for (;;) yield* when(() => true, () => { tlb.v = m.choose(2) ? table.v : 0 }) }, { endless: true })
const read = () => { if (tlb.v === 0) tlb.v = m.choose(2) ? table.v : 0; return tlb.v || table.v }
const write = () => { table.v = 2 }
const invalidate = () => { tlb.v = 0 }`
  return `${isExplicit ? explicit : set}
const seen = m.array(Cell, 3, 'seen')
const flag = m.struct(Cell, 'flag')
m.thread(function* kernel() { yield* atomically(write); ${invalidates ? 'yield* atomically(invalidate);' : ''} yield* atomically(() => { flag.v = 1 }) })
m.thread(function* user() { for (const cell of seen) { const after = yield* atomically(() => flag.v); const value = yield* atomically(read); yield* atomically(() => { cell.v = value + 4 * after }) } })
for (const one of [1, 2, 5, 6]) for (const two of [1, 2, 5, 6]) for (const three of [1, 2, 5, 6]) m.sometimes(\`\${one} \${two} \${three}\`, () => seen[0].v === one && seen[1].v === two && seen[2].v === three)`
}

test('a TLB as a set of what it may hold shows what one with explicit fills and evictions shows', async (t) => {
  for (const invalidates of [false, true]) {
    const never = async (isExplicit: boolean): Promise<string[]> => {
      const report = await exploreText(model(remapping(isExplicit, invalidates)), { keepGoing: true })
      return report.violations
        .filter(({ kind }) => kind === 'unreached')
        .map(({ property }) => property)
        .toSorted()
    }
    const [set, explicit] = [await never(false), await never(true)]
    t.deepEqual(set, explicit)
    t.true(set.length > 20 && set.length < 64)
    t.is(set.includes('5 5 5'), invalidates)
  }
})
