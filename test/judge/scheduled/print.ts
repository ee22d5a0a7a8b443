import { ATOMICS, LOCKS, type Program, type Property, STORAGE, type Statement, WATCHED } from './program.ts'

/** The program as the text of a model's file. */
export function printScheduled({ threads, handler, reuse, fallible, properties, alike }: Program): string {
  const usesShared = handler !== null || threads.some(({ on }) => on.length > 0)
  const options = ({ role, on }: Program['threads'][number]): string =>
    `{ ${role === 'thread' ? '' : `${role}: true, `}${on.length > 0 ? `on: [${on.map((cpu) => `cpu${cpu}`).join(', ')}], ` : ''}}`
  const bodyOf = ({ body, role }: Program['threads'][number]): string =>
    `let r = 0\nlet o: any = null\n${role === 'thread' ? all(body) : `for (;;) {\n${role === 'endless' ? '  yield* pause()\n' : ''}${indented(all(body))}}\n`}`
  const made = alike
    ? `m.cpus(${threads.length}, () => function* thread() {\n${indented(bodyOf(threads[0] as Program['threads'][number]))}})\n`
    : threads
        .map((thread, i) => `m.thread(function* thread${i}() {\n${indented(bodyOf(thread))}}, ${options(thread)})\n`)
        .join('')
  return `import { atomically, model, pause, struct, u2, when } from 'vmcheck'
import { HandoffLock, InterruptLine, Mutex, RwSpinLock, SleepLock, SpinLock, disableInterrupts, disablePreemption, enableInterrupts, enablePreemption } from 'vmcheck/vm'
const Plain = struct<{ v: number }>('plain', { v: u2 })
export default model({
  title: 'generated',
  machine(m) {
    const plain = m.array(Plain, ${LOCKS.length + 1}, 'plain')
    const atomic = m.array(Plain, ${ATOMICS}, 'atomic')
    const pool = m.pool(Plain, ${STORAGE}, 'storage', { reuse: '${reuse}', fallible: ${fallible} })
    const locks: any[] = [new SpinLock(m, 'spin'), new SpinLock(m, 'spin-irq', { interrupts: 'off' }), new SpinLock(m, 'spin-preempt', { preemption: 'off' }), new RwSpinLock(m, 'rw'), new RwSpinLock(m, 'rw-writers', { prefersWriters: true }), new Mutex(m, 'mutex'), new SleepLock(m, 'sleep'), new HandoffLock(m, 'handoff', 8)]
    const watched = locks[${WATCHED}] as Mutex
${usesShared ? `    const [cpu0, cpu1] = [m.cpu(), m.cpu()]\n    const line = new InterruptLine(m, 'line')\n${handler ? `    line.handle(cpu0, function* () {\n      let r = 0\n      let o: any = null\n${indented(indented(indented(all(handler))))}    })\n` : ''}` : ''}${indented(indented(made))}${properties.map((property, i) => `    ${printProperty(property, i)}\n`).join('')}  },
})
`.replaceAll('line.send(cpu0)', handler ? 'line.send(cpu0)' : 'pause()')
}

function printProperty(property: Property, i: number): string {
  const name = `${property.form} ${i}`
  switch (property.form) {
    case 'always':
    case 'atRest':
      return `m.${property.form}('${name}', () => atomic[${property.variable}].v !== ${property.value})`
    case 'sometimes':
      return `m.sometimes('${name}', () => atomic[${property.variable}].v === ${property.value})`
    case 'owned':
      return `m.always('${name}', () => { const isOwned = watched.owner !== null; const isSo = atomic[${property.variable}].v === ${property.value}; return !(isOwned && isSo) })`
    case 'invariant':
      return `m.invariant('${name}', () => ${property.over === 'own' ? `plain[${property.lock}]` : 'atomic[0]'}.v !== ${property.value}, { whenFree: locks[${property.lock}] })`
  }
}

function all(statements: readonly Statement[]): string {
  return statements.map(one).join('')
}

/** Code of a body without the semicolons of a hand. */
function one(s: Statement): string {
  switch (s.kind) {
    case 'locked': {
      const write = s.lock === 3 || s.lock === 4 || s.lock === 6 ? 'write' : 'acquire'
      return `yield* locks[${s.lock}].${write}()\n${all(s.body)}yield* locks[${s.lock}].release()\n`
    }
    case 'reading':
      return `yield* locks[${s.lock}].read()\n${all(s.body)}yield* locks[${s.lock}].release()\n`
    case 'upgrading':
      return `yield* locks[6].read()\nr = plain[6].v\nif (yield* locks[6].upgrade()) {\n${indented(all(s.body))}  yield* locks[6].release()\n}\n`
    case 'downgrading':
      return `yield* locks[6].write()\n${all(s.body)}yield* locks[6].downgrade()\nr = plain[6].v\nyield* locks[6].release()\n`
    case 'forget':
      return `yield* locks[${s.lock}].acquire()\n`
    case 'loadOwn':
      return `r = plain[${s.lock}].v\n`
    case 'storeOwn':
      return `plain[${s.lock}].v = ${s.value}\n`
    case 'add':
      return `r = yield* atomically(() => (atomic[${s.variable}].v = (atomic[${s.variable}].v + 1) % 4))\n`
    case 'load':
      return `r = yield* atomically(() => atomic[${s.variable}].v)\n`
    case 'set':
      return `yield* atomically(() => { atomic[${s.variable}].v = ${s.value} })\n`
    case 'await':
      return `yield* when(() => atomic[${s.variable}].v === ${s.equals}, () => { atomic[${s.variable}].v = ${s.set} })\n`
    case 'perCpu': {
      const what = s.what === 'interrupts' ? 'Interrupts' : 'Preemption'
      return `yield* disable${what}()\n${all(s.body)}yield* enable${what}()\n`
    }
    case 'quiet': {
      const what = s.what === 'interrupts' ? 'Interrupts' : 'Preemption'
      return `yield* disable${what}()\n${all(s.body)}${s.forgets ? '' : `yield* enable${what}()\n`}`
    }
    case 'send':
      return 'yield* line.send(cpu0)\n'
    case 'pause':
      return 'yield* pause()\n'
    case 'allocate':
      return 'if (!o) o = yield* atomically(() => pool.allocate())\n'
    case 'free':
      return 'if (o) {\n  const gone = o\n  o = null\n  yield* atomically(() => pool.free(gone))\n}\n'
    case 'fill':
      return 'if (o) {\n  const mine = o\n  yield* atomically(() => { mine.v = 3 })\n}\n'
    case 'look':
      return 'if (o) {\n  const mine = o\n  r = yield* atomically(() => mine.v)\n}\n'
    case 'if':
      return `if (r === ${s.equals}) {\n${indented(all(s.body))}}\n`
    case 'assert':
      return `m.assert(r !== ${s.equals})\n`
  }
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
