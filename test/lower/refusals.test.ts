import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { bundle } from '../../src/bundle/bundle.ts'
import { load } from '../../src/runtime/load.ts'
import { Refusal } from '../../src/source/refusal.ts'
import { bundleText, exploreInline, loadText } from '../harness/inline.ts'

/** What is refused: text between the setup and the end of a model, and what must be said of it. `@` marks the place. */
const REFUSED: Readonly<
  Record<
    string,
    { readonly outside?: string; readonly setup?: string; readonly program: string; readonly says: RegExp }
  >
> = {
  'a generator called without yield*': {
    setup: 'function* helper() { yield* pause() }',
    program: '@helper()\nyield* pause()',
    says: /did you forget yield\*/,
  },
  'an operation made without yield*': {
    setup: 'const lock = new Mutex(m, "lock")',
    program: '@lock.acquire()\nyield* pause()',
    says: /did you forget yield\*/,
  },
  'an operation used as a value': {
    setup: 'const lock = new Mutex(m, "lock", { tryable: true })',
    program: 'if (@lock.tryAcquire()) yield* pause()',
    says: /did you forget yield\*/,
  },
  'a closure live at a point': {
    program: 'const n = m.choose(2); const isBig = () => n > 1\n@yield* pause()\nif (isBig()) return',
    says: /"isBig" in program holds a closure/,
  },
  'a Map live at a point': {
    program: 'const seen = new Map()\n@yield* pause()\nseen.set(1, 2)',
    says: /"seen" in program holds a Map/,
  },
  'a Set live at a point': {
    program: 'const seen = new Set()\n@yield* pause()\nseen.add(1)',
    says: /"seen" in program holds a Set/,
  },
  'a class instance live at a point': {
    outside: 'class Note { text = "a" }',
    program: 'const note = new Note()\n@yield* pause()\nnote.text = "b"',
    says: /"note" in program holds a Note/,
  },
  'a generator live at a point': {
    setup: 'function* helper() { yield* pause() }',
    program: 'const later = helper()\n@yield* pause()\nyield* later',
    says: /"later" in program holds a generator/,
  },
  'an outer variable assigned in a program': {
    setup: 'let count = 0',
    program: 'yield* pause()\n@count++',
    says: /a program assigns "count"/,
  },
  'an outer variable assigned in a function': {
    outside: 'let count = 0\nfunction bump() { count += 1 }',
    program: 'yield* pause()\nbump()',
    says: /a program assigns "count"/,
  },
  'a private field assigned in a step': {
    outside: 'class Tally { #n = 0; add() { this.#n += 1 } }',
    setup: 'const tally = new Tally()',
    program: 'yield* pause()\ntally.add()',
    says: /a program assigns "#n"/,
  },
  'an object changed after set-up': {
    setup: 'const stats = { done: false }',
    program: 'yield* pause()\nstats.@done = true',
    says: /changes an object made outside/,
  },
  'an array changed after set-up': {
    outside: 'const list: number[] = []',
    program: 'yield* pause()\n@list.push(1)',
    says: /changes an object made outside/,
  },
  'an object deep inside changed after set-up': {
    outside: 'const box = { inner: { list: [1] } }\nconst get = () => box',
    program: 'yield* pause()\nget().inner.@list[0] = 2',
    says: /changes an object made outside/,
  },
  'a Map changed after set-up': {
    setup: 'const map = new Map()',
    program: 'yield* pause()\n@map.set(1, 2)',
    says: /changes an object made outside/,
  },
  'a private field of another object assigned in a constructor': {
    outside:
      'class Box { #n = 0; static one = new Box(0); constructor(k: number) { if (k) @Box.one.#n = 1 } get n() { return this.#n } }',
    program: 'yield* pause()\nvoid new Box(1).n',
    says: /a program assigns "#n"/,
  },
  'an outer variable assigned by a pattern in a constructor, beside a private field': {
    outside:
      'let flag = 0\nclass Box { #n = 0; constructor() { @[this.#n, flag] = [1, 1] } get n() { return this.#n + flag } }',
    program: 'yield* pause()\nvoid new Box().n',
    says: /a program assigns "flag"/,
  },
  'the time': {
    setup: 'const x = m.struct(S, "x")',
    program: 'yield* pause()\nx.v = Math.floor(@performance.now() * 1e6) % 60_000',
    says: /performance is used, and depends on the time/,
  },
  'random numbers': {
    setup: 'const x = m.struct(S, "x")',
    program: 'yield* pause()\nx.v = Math.floor(@Math.random() * 60_000)',
    says: /Math.random is used, and depends on random numbers/,
  },
  'random numbers under another name': {
    setup: 'const x = m.struct(S, "x"); const { random } = Math',
    program: 'yield* pause()\nx.v = Math.floor(@random() * 60_000)',
    says: /Math.random is used/,
  },
  'the process': { program: 'yield* pause()\n@process.exit(0)', says: /process is used/ },
  'a timer': { setup: '@setTimeout(() => {}, 1000)', program: 'yield* pause()', says: /setTimeout is used/ },
  'a loop without a point': {
    program: '@for (;;) {}\nyield* pause()',
    says: /loop ran 1,000,000 turns without reaching a point/,
  },
  'a loop over a volatile field in a plain function': {
    setup: 'const x = m.struct(V, "x")\nconst waits = () => {\n@while (x.v === 0) {}\n}',
    program: 'waits()\nyield* pause()',
    says: /in a plain function: a loop over volatile fields/,
  },
  'a recursion without a bound': {
    setup: 'function* down(n: number): Generator<never, void, any> { yield* down(n + 1) }',
    program: 'yield* down(0)',
    says: /recursion without bound/,
  },
  'a plain recursion without a bound': {
    outside: 'function down(n: number): number { return down(n + 1) + 1 }',
    program: 'yield* pause()\ndown(0)',
    says: /recursion without bound/,
  },
  'a variable changed in an operand': {
    setup: 'const set = (k: number) => atomically(() => k)',
    program: 'let i = 0\n@yield* set(i++)\nyield* set(i)',
    says: /arguments of a guarded operation/,
  },
  'a choice in an operand': {
    setup: 'const set = (k: number) => atomically(() => k)',
    program: '@yield* set(m.choose(2))',
    says: /arguments of a guarded operation/,
  },
  'a guard that writes': {
    setup: 'const x = m.struct(S, "x")',
    program: '@yield* when(() => { x.v = 1; return true })',
    says: /a guard writes x\.v/,
  },
  'looking at a lock that is not tryable': {
    setup: 'const lock = new Mutex(m, "lock")',
    program: '@yield* atomically(() => lock.owner)',
    says: /tryable/,
  },
  'a list in a private field changed': {
    outside: 'class Log { #list: number[] = []; add(x: number) { this.#list.push(x) } }',
    setup: 'const log = new Log()',
    program: 'yield* pause()\nlog.add(1)',
    says: /changes an object made outside/,
  },
  'a private field assigned in a generator method': {
    outside: 'class C { #n = 0; *run() { @this.#n += 1; yield* pause() } }',
    setup: 'const c = new C()',
    program: 'yield* c.run()',
    says: /assigns "#n"/,
  },
  'a method of an object literal that keeps a list': {
    setup: 'const list: number[] = []; const o = { add(x: number) { list.push(x) } }',
    program: 'yield* pause()\no.add(1)',
    says: /changes an object made outside/,
  },
  'a change caught by the program': {
    setup: 'const o = { n: 0 }',
    program: 'yield* pause()\ntry { o.n = 1 } catch { return }',
    says: /what is refused/,
  },
  'a property that counts': {
    setup: 'let n = 0; m.always("c", () => { n += 1; return true })',
    program: 'yield* pause()',
    says: /assigns "n"/,
  },
  'a recursion without a point that branches': {
    outside: 'function fib(n: number): number { return n < 2 ? n : fib(n - 1) + fib(n - 2) }',
    program: 'yield* pause()\nfib(60)',
    says: /without reaching a point/,
  },
  'plain yield': { program: '@yield 1', says: /plain "yield"/ },
  arguments: { program: 'return @arguments.length', says: /"arguments" in a generator/ },
  'a namespace import that keeps state': {
    outside: 'namespace K { export const table = { n: 0 }; export function mark() { table.n = 1 } }',
    program: 'yield* pause()\nK.mark()',
    says: /changes an object made outside/,
  },
  'a static private list': {
    outside: 'class K { static #seen: number[] = []; static add() { K.#seen.push(1) } }',
    program: 'yield* pause()\nK.add()',
    says: /changes an object made outside/,
  },
  'a bound function': {
    outside: 'const o = { n: 0 }; const bump = function (this: { n: number }) { this.n = 1 }.bind(o)',
    program: 'yield* pause()\nbump()',
    says: /bound function/,
  },
  'the last match of any pattern': {
    setup: 'const x = m.struct(S, "x")',
    program: '/([0-9])/.exec("7"); yield* pause()\nx.v = Number(@RegExp.$1)',
    says: /RegExp\.\$1 is used/,
  },
  'an object inherited from': {
    outside: 'const o = Object.create({ box: { n: 0 } })',
    program: 'yield* pause()\no.box.@n = 1',
    says: /changes an object made outside/,
  },
  'a prototype of a plain function': {
    outside: 'function F() {}',
    program: 'yield* pause()\n;(F as any).prototype.@seen = 1',
    says: /changes an object made outside/,
  },
  'a property named by a symbol': {
    outside: 'const k = Symbol(); const o = { [k]: {} as any }',
    program: 'yield* pause()\n@o[k].seen = 1',
    says: /changes an object made outside/,
  },
  'a Set changed by the method of all Sets': {
    outside: 'const all = new Set()',
    program: 'yield* pause()\nSet.prototype.@add.call(all, 1)',
    says: /Cannot change a Set/,
  },
  'a private field that a constructor gives to another object': {
    outside:
      'class A { constructor(o: object) { return o } }; class K extends A { #box = {} as any; static of(o: any) { return o.#box } }; const k = new K({})',
    program: 'yield* pause()\n@K.of(k).seen = 1',
    says: /changes an object made outside/,
  },
  'a proxy': {
    outside: 'const inner = {} as any; const o = new @Proxy({} as any, { get: () => inner })',
    program: 'yield* pause()\no.x.seen = 1',
    says: /Proxy is used/,
  },
  'a property of a constructor of JavaScript’s own': {
    program: 'yield* pause()\n;(Array as any).@seen = 1',
    says: /changes an object made outside/,
  },
  'a method of all objects': {
    program: 'yield* pause()\n;(Object.prototype as any).@toString = () => "x"',
    says: /changes an object made outside/,
  },
  'a method of all iterators': {
    program: 'yield* pause()\n;(Object.getPrototypeOf([].values()) as any).@seen = 1',
    says: /changes an object made outside/,
  },
  'the depth of stack traces': {
    program: 'yield* pause()\nError.stackTraceLimit = 7\n@yield* pause()\nyield* pause()',
    says: /Error.stackTraceLimit/,
  },
  'raw memory': {
    outside: 'const raw = new @ArrayBuffer(8)',
    program: 'yield* pause()\nvoid raw',
    says: /ArrayBuffer is used/,
  },
  'what Node keeps': {
    program: 'yield* pause()\nvoid new @Response("x")',
    says: /Response is used, and depends on what Node keeps/,
  },
  'what is left of CommonJS': { program: 'yield* pause()\n;@(exports as any).seen = 1', says: /exports is used/ },
  'what a module knows of itself': {
    program: 'yield* pause()\n;@(import.meta as any).seen = 1',
    says: /import.meta is used/,
  },
  'an error with private fields live at a point': {
    outside: 'class Stop extends Error { #code = 7; get code() { return this.#code } }',
    program: 'const e = new Stop("x")\n@yield* pause()\nvoid e.code',
    says: /a Stop with private fields/,
  },
  'an error with private methods live at a point': {
    outside: 'class Stop extends Error { #is() { return true } is() { return this.#is() } }',
    program: 'const e = new Stop("x")\n@yield* pause()\nvoid e.is()',
    says: /a Stop with private fields/,
  },
  'a frozen error live at a point': {
    program: 'const e = Object.freeze(new Error("x"))\n@yield* pause()\nthrow e',
    says: /an error that was changed/,
  },
  'a guard that gives an operation': {
    setup: 'const lock = new Mutex(m, "lock", { tryable: true })',
    program: '@yield* when(() => lock.tryAcquire() as never)',
    says: /a guard gives an object/,
  },
  'a guard that gives a number': { program: '@yield* when(() => 1 as never)', says: /a guard gives a number/ },
  'an operation kept in a variable': {
    setup: 'const lock = new Mutex(m, "lock", { tryable: true })',
    program: '@yield* pause()\nconst got = lock.tryAcquire()\nif (got) yield* pause()',
    says: /tryAcquire lock is made, and not executed/,
  },
  'an operation given to a function of lists': {
    setup: 'const lock = new Mutex(m, "lock")',
    program: '@yield* pause()\n;[1].forEach(() => lock.acquire())',
    says: /acquire lock is made, and not executed/,
  },
  'a long text live at a point': {
    program: 'const x = "a".repeat(2 ** 21)\n@yield* pause()\nvoid x.length',
    says: /more than 1,048,576/,
  },
  'holders that write': {
    setup: 'const x = m.struct(S, "x")',
    program: '@yield* when(() => x.v === 1, () => {}, { holders: () => { x.v = 2; return [] } })',
    says: /guard writes|writes x/,
  },
  'holders that are no actors': {
    setup: 'const x = m.struct(S, "x")',
    program: 'yield* when(() => x.v === 1, () => {}, { holders: () => 5 as never })',
    says: /holders must give a list of actors/,
  },
  'a page that a shootdown cannot name': {
    setup:
      'const space = new AddressSpace(m, "as", { pages: 33, frames: new FrameStore(m, { frames: 1 }), cpus: 1 }); new @Shootdown(m, "sd", space, [m.cpu()], 1)',
    program: 'yield* pause()',
    says: /from 0 to 30/,
  },
  'a failure that no allocation can be': {
    setup: 'new @FailureBudget(m, { failures: 1, only: 1.5 })',
    program: 'yield* pause()',
    says: /only of a failure budget/,
  },
  'an option that there is not': {
    setup: 'new @Mutex(m, "l", { tryabel: true } as never)',
    program: 'yield* pause()',
    says: /mutex l has no option tryabel; it has tryable, waiting/,
  },
  'a write to globalThis': { program: 'yield* pause()\n@globalThis.leak = 1', says: /globalThis/ },
  'optional chaining around a point': {
    program: 'const o: any = { m() {} }\n@o?.m(yield* pause())',
    says: /optional chaining/,
  },
  'a variable used before its declaration': {
    program: 'const f = @late\nconst late = 1\nyield* pause()\nvoid [f, late]',
    says: /"late" is used before its declaration/,
  },
  'an iterator with a return method around a point': {
    outside:
      'const ring = { [Symbol.iterator]: () => ({ next: () => ({ done: true, value: 0 }), return: () => ({ done: true, value: 0 }) }) }',
    program: 'for (const x of @ring) { yield* pause(); void x }',
    says: /iterator with a return method/,
  },
  'trying a lock not made for it': {
    setup: 'const lock = new Mutex(m, "lock")',
    program: 'yield* lock.tryAcquire()',
    says: /tryable: true/,
  },
}

function textOf({ outside = '', setup = '', program }: (typeof REFUSED)[string]): string {
  return [
    "import { atomically, model, pause, struct, u16, u4, volatile, when } from 'vmcheck'",
    "import { AddressSpace, FailureBudget, FrameStore, Mutex, Shootdown } from 'vmcheck/vm'",
    "const S = struct<{ v: number }>('s', { v: u16 })",
    "const V = struct<{ v: number }>('v', { v: volatile(u4) })",
    outside,
    "export default model({ title: 't', machine(m) {",
    setup,
    'm.thread(function* program() {',
    program,
    '})',
    '} })',
    'void [AddressSpace, FailureBudget, FrameStore, Shootdown, Mutex, S, V, pause, atomically, when]',
  ].join('\n')
}

async function refusalOf(text: string): Promise<Refusal | string> {
  try {
    const { result } = exploreInline(await loadText(text), 'step')
    return result.levels.flatMap(({ counts }) => counts.findings.map(({ message }) => message)).join() || 'nothing'
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** What programs may try to change of what a machine is made of. */
const PARTS = [
  '(m as any).flag = true',
  'Object.getPrototypeOf(m).assert = () => {}',
  '(m.self as any).flag = true',
  '(m.self.cpu as any).flag = true',
  '(m.self.cpu as any).handlers.push(1)',
  '(m.actors as any).length = 0',
  '(S as any).flag = true',
  '(S.types as any).v.bits = 1',
  'Object.getPrototypeOf(S).flag = true',
  '(x as any).flag = true',
  '(per as any).flag = true',
  'Object.getPrototypeOf(per).of = () => null',
  '(pool as any).flag = true',
  '(pool.instances as any).length = 0',
  'Object.getPrototypeOf(lock.acquire()).flag = true',
  '(pause as any).flag = true',
]

for (const change of PARTS) {
  test(`refused: ${change}`, async (t) => {
    const text = `import { model, pause, struct, u4 } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'
const S = struct<{ v: number }>('s', { v: u4 })
export default model({ title: 'test', machine(m) {
  const [x, per, pool, lock] = [m.struct(S, 'x'), m.perActor(S, 'per'), m.pool(S, 2, 'pool'), new Mutex(m, 'lock')]
  void [x, per, pool, lock]
  m.thread(function* a() { yield* pause(); ${change} })
} })`
    await t.throwsAsync(async () => exploreInline(await loadText(text), 'step'), {
      instanceOf: Refusal,
      message: /changes an object made outside/,
    })
  })
}

for (const [name, example] of Object.entries(REFUSED)) {
  test(`refused: ${name}`, async (t) => {
    const text = textOf(example)
    const at = text.indexOf('@')
    const refusal = await refusalOf(text.replace('@', ''))
    if (name === 'trying a lock not made for it') {
      t.regex(String(refusal), example.says)
      return
    }
    if (!(refusal instanceof Refusal)) {
      t.fail(`found: ${refusal}`)
      return
    }
    t.regex(refusal.message, example.says)
    if (at < 0) return
    const before = text.slice(0, at).split('\n')
    t.is(refusal.at?.line, before.length, refusal.line)
    t.is(refusal.at?.file, 'model.ts')
    if (!example.program.includes('@yield* pause'))
      t.true(Math.abs((refusal.at?.column ?? 0) - ((before.at(-1)?.length ?? 0) + 1)) < 12, refusal.line)
  })
}

test('a step that comes out otherwise when it is taken again is refused', async (t) => {
  const text = textOf({
    program:
      'yield* pause(); let threw = false; try { console.log("x") } catch { threw = true }; if (threw) yield* pause()',
    setup: '',
    says: /./,
  } as never)
  let printed = 0
  const loaded = load(await bundleText(text), () => {
    if (printed++ > 0) throw new Error('the second time')
  })
  t.throws(() => exploreInline(loaded, 'step'), {
    instanceOf: Refusal,
    message: /nondeterministic step: executing it again gave a different result/,
  })
})

test('a place is named alike from a folder reached through a link, and from one deeper than the process is in', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'vmcheck-places-'))
  await mkdir(join(folder, 'a/b/c'), { recursive: true })
  await symlink(join(folder, 'a/b/c'), join(folder, 'link'))
  await writeFile(
    join(folder, 'a/b/c/model.ts'),
    textOf({ setup: 'const lock = new Mutex(m, "lock")', program: 'yield* lock.acquire()\nyield* pause()', says: /./ }),
  )
  for (const from of ['a/b/c', 'link']) {
    for (const form of ['lowered', 'native'] as const) {
      const { map } = await bundle('model.ts', join(folder, from), null, form)
      const { sources } = JSON.parse(map) as { sources: string[] }
      t.deepEqual(
        sources.filter((source) => !source.startsWith('vmcheck/vm/')),
        ['model.ts'],
        `${from} ${form}`,
      )
      t.true(sources.length > 1, `${from} ${form}`)
    }
  }
})
