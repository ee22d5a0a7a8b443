import { type GeneratedProgram, SIZES, type Statement } from './program.ts'

/** The program as the text of a model's file. */
export function printModel(program: GeneratedProgram): string {
  const functions: string[] = []
  const bodies = program.threads.map((statements, i) => {
    const printer = new Printer({ prefixes: [''], functions })
    return `let r0 = 0\nlet r1 = 0\nlet p = null\n${printer.all(statements)}${program.forever[i] ? printer.forever(program.forever[i] ?? null) : 'results.of(m.self).v = r0 * 4 + r1\n'}`
  })
  const threads = program.alike
    ? [
        `m.cpus(${program.threads.length}, () => function* thread() {\n${indented(bodies[0] as string)}}, { endless: ${program.forever[0] !== null} })\n`,
      ]
    : bodies.map(
        (body, i) =>
          `m.thread(function* thread${i}() {\n${indented(body)}}, { endless: ${program.forever[i] !== null} })\n`,
      )
  return `import { actors, atomically, model, pause, published, readOnce, ref, struct, u2, u4, volatile, when } from 'vmcheck'
import { Mutex, SleepLock, WaitChannel } from 'vmcheck/vm'
const Plain = struct('plain', { v: u2 })
const Volatile = struct('volatile', { v: volatile(u2) })
const Published = struct('published', { v: published(u2) })
const Page = struct('page', { v: u2, owner: ref(actors) })
const Result = struct('result', { v: u4 })
const Board = struct('board', { page: ref(Page) })
function flip(one) {
  one.v = one.v ^ 1
}
function sum(one, other) {
  return (one.v + other.v) % 4
}
export default model({
  title: 'generated',
  machine(m) {
    const plain = m.array(Plain, ${SIZES.plain}, 'plain')
    const atomic = m.array(Plain, ${SIZES.atomic}, 'atomic')
    const loud = m.array(Volatile, ${SIZES.volatile}, 'volatile')
    const shown = m.array(Published, ${SIZES.published}, 'published')
    const pages = m.array(Page, ${SIZES.pages}, 'page', {}, { interchangeable: true })
    const board = m.struct(Board, 'board')
    const results = m.perActor(Result, 'result')
    const storage = m.pool(Plain, ${SIZES.storage}, 'storage', { fallible: true })
    const mutexes = Array.from({ length: ${SIZES.mutexes} }, (_, i) => new Mutex(m, \`mutex[\${i}]\`))
    const tried = new Mutex(m, 'tried', { tryable: true })
    const sleeps = Array.from({ length: ${SIZES.sleepLocks} }, (_, i) => new SleepLock(m, \`sleep[\${i}]\`))
    const channels = Array.from({ length: ${SIZES.channels} }, (_, i) => new WaitChannel(m, \`channel[\${i}]\`))
${indented(indented([...functions, ...threads].join('')))}  },
})
`
}

/** How the code at hand calls a thread's variables, and where functions of their own are put. */
interface Scope {
  /** Before the name of a register or of the page; by turns, where there are two ways to them. */
  readonly prefixes: readonly string[]
  readonly functions: string[]
}

/** Prints the statements of one thread. */
class Printer {
  readonly #scope: Scope
  #turn = 0

  constructor(scope: Scope) {
    this.#scope = scope
  }

  forever(body: readonly Statement[] | null): string {
    return body === null ? '' : `for (;;) {\n  yield* pause()\n${indented(this.all(body))}}\n`
  }

  all(statements: readonly Statement[]): string {
    return statements.map((statement) => this.#one(statement)).join('')
  }

  #block(body: readonly Statement[]): string {
    return `{\n${indented(this.all(body))}}`
  }

  #name(variable: string): string {
    const { prefixes } = this.#scope
    return `${prefixes[this.#turn++ % prefixes.length] ?? ''}${variable}`
  }

  #register(register: number): string {
    return this.#name(`r${register}`)
  }

  /** A function of its own, with the thread's variables in one object that it knows by two names. */
  #call(body: readonly Statement[]): string {
    const { functions } = this.#scope
    const number = functions.push('') - 1
    const name = `helper${number}`
    const inside = new Printer({ prefixes: ['a.', 'b.'], functions })
    functions[number] = `function* ${name}(a, b) {\n${indented(inside.all(body))}}\n`
    const names = [...Array.from({ length: SIZES.registers }, (_, i) => `r${i}`), 'p']
    const box = `{ ${names.map((variable) => `${variable}: ${this.#name(variable)}`).join(', ')} }`
    return `{\n  const box = ${box}\n  yield* ${name}(box, box)\n${names.map((variable) => `  ${this.#name(variable)} = box.${variable}\n`).join('')}}\n`
  }

  #one(s: Statement): string {
    switch (s.kind) {
      case 'locked':
        return s.guarded
          ? `yield* mutexes[${s.lock}].acquire()\ntry ${this.#block(s.body)} finally {\n  yield* mutexes[${s.lock}].release()\n}\n`
          : `yield* mutexes[${s.lock}].acquire()\n${this.all(s.body)}yield* mutexes[${s.lock}].release()\n`
      case 'reading':
        return `yield* sleeps[${s.lock}].read()\n${this.all(s.body)}yield* sleeps[${s.lock}].release()\n`
      case 'writing':
        return `yield* sleeps[${s.lock}].write()\n${this.all(s.body)}yield* sleeps[${s.lock}].release()\n`
      case 'tried':
        return s.blocking
          ? `yield* tried.acquire()\n${this.all(s.body)}yield* tried.release()\n`
          : `if (yield* tried.tryAcquire()) {\n${indented(this.all(s.body))}  yield* tried.release()\n} else ${this.#block(s.otherwise)}\n`
      case 'load':
        return `${this.#register(s.register)} = plain[${s.variable}].v\n`
      case 'loadVolatile':
        return `${this.#register(s.register)} = loud[${s.variable}].v\n`
      case 'spin':
        return `while (loud[${s.variable}].v === ${s.equals}) {}\n`
      case 'flip':
        return s.out ? `flip(loud[${s.variable}])\n` : `loud[${s.variable}].v ^= 1\n`
      case 'sum':
        return `${this.#register(s.register)} = ${s.out ? `sum(loud[${s.variable}], loud[0])` : `(loud[${s.variable}].v + loud[0].v) % 4`}\n`
      case 'loadOnce':
        return `${this.#register(s.register)} = yield* readOnce(() => shown[${s.variable}].v)\n`
      case 'store':
        return `plain[${s.variable}].v = ${s.value}\n`
      case 'storeVolatile':
        return `loud[${s.variable}].v = ${s.value}\n`
      case 'publish':
        return `shown[${s.variable}].v = ${s.value}\n`
      case 'storeRegister':
        return `plain[${s.variable}].v = ${this.#register(s.register)}\n`
      case 'add':
        return `${this.#register(s.register)} = yield* atomically(() => (atomic[${s.variable}].v = (atomic[${s.variable}].v + 1) % 4))\n`
      case 'expect':
        return this.#one({ ...s, kind: 'add' }) + this.#one({ kind: 'assert', register: s.register, equals: s.equals })
      case 'await':
        return `yield* when(() => atomic[${s.variable}].v === ${s.equals}, () => { atomic[${s.variable}].v = ${s.set} })\n`
      case 'awaitPlain':
        return `yield* when(() => plain[${s.variable}].v === ${s.equals}, () => { plain[${s.variable}].v = ${s.set} })\n`
      case 'awaitBoth':
        return `yield* when(() => atomic[${s.variable}].v === ${s.equals} && loud[0].v === ${s.other}, () => { atomic[${s.variable}].v = ${s.set} })\n`
      case 'sleep':
        return `yield* channels[${s.channel}].assertWait()\nyield* channels[${s.channel}].block()\n`
      case 'wakeAll':
        return `yield* channels[${s.channel}].wakeup()\n`
      case 'wakeOne':
        return `yield* channels[${s.channel}].wakeOne()\n`
      case 'if':
        return `if (${this.#register(s.register)} === ${s.equals}) ${this.#block(s.body)} else ${this.#block(s.otherwise)}\n`
      case 'repeat':
        return `for (let i = 0; i < ${s.times}; i++) ${this.#block(s.body)}\n`
      case 'choose':
        return `${this.#register(s.register)} = m.choose(2)\n`
      case 'allocate':
        return `${this.#register(s.register)} = yield* atomically(() => (storage.allocate() ? 1 : 0))\n`
      case 'assert':
        return `m.assert(${this.#register(s.register)} !== ${s.equals})\n`
      case 'call':
        return this.#call(s.body)
      case 'pick':
        return `${this.#name('p')} = m.pick(pages, 'page')\n`
      case 'look':
        return `${this.#name('p')} = yield* atomically(() => board.page)\n`
      case 'show':
        return this.#page((page) => `yield* atomically(() => { board.page = ${page} })\n`)
      case 'lose':
        return `${this.#name('p')} = null\n`
      case 'mark':
        return this.#page(
          (page) =>
            `yield* atomically(() => { if (${page}) Object.assign(${page}, { v: ${s.value}, owner: m.self }) })\n`,
        )
      case 'read':
        return this.#page((page) => `${this.#register(s.register)} = yield* atomically(() => ${page}?.v ?? 0)\n`)
      case 'mine':
        return this.#page(
          (page) => `${this.#register(s.register)} = yield* atomically(() => (${page}?.owner === m.self ? 1 : 0))\n`,
        )
    }
  }

  /** What is done with the thread's page, which an atomic action may not look up while it waits. */
  #page(use: (page: string) => string): string {
    return `{\n  const page = ${this.#name('p')}\n${indented(use('page'))}}\n`
  }
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
