import { type GeneratedProgram, SIZES, type Statement } from './program.ts'

/** The program as the text of a model's file. */
export function printModel(program: GeneratedProgram): string {
  const threads = program.threads.map((statements, i) => `    m.thread(function* thread${i}() {\n${registers()}${print(statements, 3)}${forever(program.forever[i] ?? null)}    }, { endless: ${program.forever[i] !== null} })`)
  return `import { atomically, model, pause, published, readOnce, struct, u2, volatile, when } from 'vmcheck'
import { Mutex, SleepLock, WaitChannel } from 'vmcheck/vm'
const Plain = struct<{ v: number }>('plain', { v: u2 })
const Volatile = struct<{ v: number }>('volatile', { v: volatile(u2) })
const Published = struct<{ v: number }>('published', { v: published(u2) })
export default model({
  title: 'generated',
  machine(m) {
    const plain = m.array(Plain, ${SIZES.plain}, 'plain')
    const atomic = m.array(Plain, ${SIZES.atomic}, 'atomic')
    const loud = m.array(Volatile, ${SIZES.volatile}, 'volatile')
    const shown = m.array(Published, ${SIZES.published}, 'published')
    const mutexes = Array.from({ length: ${SIZES.mutexes} }, (_, i) => new Mutex(m, \`mutex[\${i}]\`))
    const tried = new Mutex(m, 'tried', { tryable: true })
    const sleeps = Array.from({ length: ${SIZES.sleepLocks} }, (_, i) => new SleepLock(m, \`sleep[\${i}]\`))
    void pause
    const channels = Array.from({ length: ${SIZES.channels} }, (_, i) => new WaitChannel(m, \`channel[\${i}]\`))
${threads.join('\n')}
  },
})
`
}

function forever(body: readonly Statement[] | null): string {
  return body === null ? '' : `      for (;;) {\n        yield* pause()\n${print(body, 4)}      }\n`
}

function registers(): string {
  return `      let r0 = 0\n      let r1 = 0\n`
}

function print(statements: readonly Statement[], depth: number): string {
  const pad = '  '.repeat(depth)
  return statements.map((statement) => printOne(statement, depth).replace(/^(?=.)/gm, pad)).join('')
}

function block(body: readonly Statement[]): string {
  return `{\n${print(body, 1)}}`
}

function printOne(s: Statement, _depth: number): string {
  switch (s.kind) {
    case 'locked':
      return s.guarded
        ? `yield* mutexes[${s.lock}].acquire()\ntry ${block(s.body)} finally {\n  yield* mutexes[${s.lock}].release()\n}\n`
        : `yield* mutexes[${s.lock}].acquire()\n${print(s.body, 0)}yield* mutexes[${s.lock}].release()\n`
    case 'reading':
      return `yield* sleeps[${s.lock}].read()\n${print(s.body, 0)}yield* sleeps[${s.lock}].release()\n`
    case 'writing':
      return `yield* sleeps[${s.lock}].write()\n${print(s.body, 0)}yield* sleeps[${s.lock}].release()\n`
    case 'tried':
      return s.blocking
        ? `yield* tried.acquire()\n${print(s.body, 0)}yield* tried.release()\n`
        : `if (yield* tried.tryAcquire()) {\n${print(s.body, 1)}  yield* tried.release()\n} else ${block(s.otherwise)}\n`
    case 'load':
      return `r${s.register} = plain[${s.variable}].v\n`
    case 'loadVolatile':
      return `r${s.register} = loud[${s.variable}].v\n`
    case 'loadOnce':
      return `r${s.register} = yield* readOnce(() => shown[${s.variable}].v)\n`
    case 'store':
      return `plain[${s.variable}].v = ${s.value}\n`
    case 'storeVolatile':
      return `loud[${s.variable}].v = ${s.value}\n`
    case 'publish':
      return `shown[${s.variable}].v = ${s.value}\n`
    case 'storeRegister':
      return `plain[${s.variable}].v = r${s.register}\n`
    case 'add':
      return `r${s.register} = yield* atomically(() => (atomic[${s.variable}].v = (atomic[${s.variable}].v + 1) % 4))\n`
    case 'await':
      return `yield* when(() => atomic[${s.variable}].v === ${s.equals}, () => { atomic[${s.variable}].v = ${s.set} })\n`
    case 'awaitPlain':
      return `yield* when(() => plain[${s.variable}].v === ${s.equals}, () => { plain[${s.variable}].v = ${s.set} })\n`
    case 'sleep':
      return `yield* channels[${s.channel}].assertWait()\nyield* channels[${s.channel}].block()\n`
    case 'wakeAll':
      return `yield* channels[${s.channel}].wakeup()\n`
    case 'wakeOne':
      return `yield* channels[${s.channel}].wakeOne()\n`
    case 'if':
      return `if (r${s.register} === ${s.equals}) ${block(s.body)} else ${block(s.otherwise)}\n`
    case 'repeat':
      return `for (let i = 0; i < ${s.times}; i++) ${block(s.body)}\n`
    case 'choose':
      return `r${s.register} = m.choose(2)\n`
  }
}
