// Programs in which points stand in every position that the grammar allows. Statements and expressions are nested at random.
import fc, { type Arbitrary } from 'fast-check'

/** How deep expressions and statements are nested. */
export interface GeneratorSize {
  readonly expressions: number
  readonly statements: number
}

/** What every program has around its statements: functions without points, kernel functions with some, and objects to change. */
const OUTSIDE = `
class Base { constructor(v) { this.v = v } get twice() { return this.v + this.v } *get(x) { return [this.v, yield* op('get', x)] } }
class Box extends Base { #p = 3; *get(x) { const r = yield* super.get(x); return [r, this.#p] } add(x) { return [this.v, x] } static make(x) { return ['made', x] } }
const box = new Box(7)
const numbers = Object.freeze([4, 5, 6])
const known = new Map([['k', 1], ['l', 2]])
const letters = new Set(['p', 'q'])
const pure = (...xs) => xs.length === 0 ? 'none' : xs
const tag = (strings, ...xs) => [strings.raw.join('|'), ...xs]
const kind = (e) => e instanceof Error ? e.name : e
class Ring { constructor(items) { this.items = items } [Symbol.iterator]() { let i = 0; const items = this.items; return { next: () => i < items.length ? { done: false, value: items[i++] } : { done: true, value: undefined } } } }
class Closing { constructor(items, closed) { this.items = items; this.closed = closed } [Symbol.iterator]() { let i = 0; const { items, closed } = this; return { next: () => ({ done: i >= items.length, value: items[i++] }), return: () => { closed.n++; return {} } } } }
function* f(x, y = x) { return yield* op('f', x, y) }
function* g(x) { try { return [yield* f(x)] } finally { yield* op('g') } }
function* quiet(x) { return x }
function* spread(a, { b = a, ...rest } = {}, [c = b, ...d] = [], ...more) { yield* op('spread', a); return [a, b, rest, c, d, more] }`

const START = `let a = 1, b = 2, s = '', fuel = 60
  const list = [1, 2, 3], closed = { n: 0 }
  const o = { x: 1, y: [1, 2, 3], z: { w: 4 } }`

const END = "yield* op('end', a, b, s, list, o, closed)\n  return [a, b, s, list, o, closed]"

const one = (...texts: string[]): Arbitrary<string> => fc.constantFrom(...texts)

/** A text with the values of some arbitraries in its places. */
function text(strings: TemplateStringsArray, ...parts: Arbitrary<string>[]): Arbitrary<string> {
  return fc.tuple(...parts).map((values) => strings.map((string, i) => string + (values[i] ?? '')).join(''))
}

const NAME = one('a', 'b')
const OBJECT = one('o', 'o.z', 'o', 'o.z', 'box', '(a, o)', '(yield* op("object"), o)', '(b++, o)')
const KEY = one('"x"', '0', 'a', 'b++', '(a = 1, 1)', 'yield* op("key")', '(yield* f("key")) ? 1 : 0', 's')
const TARGET = fc.oneof(
  NAME,
  text`${one('o', 'o.z', '(yield* op("target"), o)', '(b++, o)')}.${one('x', 'w', 'n')}`,
  text`${OBJECT}[${KEY}]`,
  one('o.y[b++ & 1]', 'list[b++ & 1]', 'list[list.length]'),
)

const LEAF: Arbitrary<string> = fc.oneof(
  {
    weight: 3,
    arbitrary: one(
      '1',
      '0',
      '"t"',
      'null',
      'undefined',
      '-0',
      'NaN',
      'a',
      'b',
      's',
      'o.x',
      'o.y',
      'list',
      'o.z.w',
      'a++',
      '--b',
      'o.x++',
      '[]',
      '{}.q',
    ),
  },
  {
    weight: 3,
    arbitrary: one(
      '(yield* op("p"))',
      '(yield* op(a))',
      '(yield* f(b))',
      '(yield* g(1))',
      '(yield* box.get(a))',
      '(yield* quiet(b))',
      '(yield* effect(() => a))',
      '(yield* effect(() => [o.x, b]))',
      '(yield* spread(a, o, list, b))',
      '(yield* pause())',
    ),
  },
)

/** Expressions nested up to some depth. */
function expression(depth: number): Arbitrary<string> {
  if (depth === 0) return LEAF
  const e = expression(depth - 1)
  return fc.oneof(
    { weight: 4, arbitrary: LEAF },
    text`(${e} ${one('+', '-', '*', '===', '<', ',', '&&', '||', '??', '!=', '&')} ${e})`,
    text`(${e} ? ${e} : ${e})`,
    text`(${TARGET} ${one('=', '+=', '-=', '*=', '||=', '&&=', '??=')} ${e})`,
    text`(${TARGET})${one('++', '--')}`.map((made) => `(${made.replace(/^\((.*)\)(\+\+|--)$/s, '$1$2')})`),
    text`[${e}, ${e}]`,
    text`[${one('...list', '...(yield* op("items"), list)', '...o.y', '...new Ring(list)', '...new Closing(o.y, closed)', '')}, ${e}, ${one('...list', '1')}]`.map(
      (made) => made.replace('[,', '['),
    ),
    text`({ x: ${e}, [${KEY}]: ${e}, ${one('...o', 'a', '...o.z', 'n: 1')}, y: ${e} })`,
    text`pure(${e}, ${e})`,
    text`pure(${one('...list', 'a', '...(yield* op("args"), list)')}, ${e}, ...o.y)`,
    text`${one('list', 'o.y', '(yield* op("receiver"), list)', 'numbers')}.${one('concat', 'slice', 'indexOf', 'push', 'includes', 'join')}(${e})`.map(
      (made) => (made.startsWith('numbers.push') ? made.replace('push', 'concat') : made),
    ),
    text`${one('box', '(a++, box)', '(yield* op("box"), box)')}.add(${e})`,
    text`${one('box', 'Box')}[${one('"add"', '"make"', '(a, "add")', '(yield* op("method"), "add")')}](${e})`,
    text`Math.max(${e}, ${e})`,
    text`(yield* op(${e}, ${e}))`,
    text`(yield* f(${e}, ${e}))`,
    text`(yield* box.get(${e}))`,
    text`\`\${typeof ${e}}-\${String(${e} === a)}\``,
    text`${one('typeof ', '!', '-', 'void ', '+')}(${e})`,
    text`(delete ${one('o', 'o.z', 'o')}[${KEY}])`,
    text`(${one('a', 'o', 'o.q', 'null')})?.x`,
    text`tag\`a\${${one('a', 'o.x', 's')}}b\``,
    text`new Ring(${e}).items`,
    text`(${one('"x"', 'a', '0')} in ${one('o', 'list', 'o.z')})`,
    text`(${pattern(depth - 1)} = ${e})`.map((made) => `(${made})`),
    text`[1, 2].map((q) => [q, a, b])[${e}]`,
    text`(yield* effect(() => pure(${one('a', 'o.x', 's', 'list.length', '(() => b)()')}, a)))`,
  )
}

/** Patterns of assignments and declarations of a's and b's, and of members. */
function pattern(depth: number): Arbitrary<string> {
  const e = depth <= 0 ? LEAF : expression(depth - 1)
  const target = fc.oneof(NAME, one('o.x', 'o.y[b++ & 1]', 'list[b++ & 1]'), text`o[${KEY}]`)
  return fc.oneof(
    text`[${target}, ${target}]`,
    text`[${target} = ${e}, , ${target}]`,
    text`[${target}, ...${one('o.rest', 'a')}]`,
    text`{ x: ${target}, [${KEY}]: ${target} }`,
    text`{ x: ${target} = ${e}, ...${one('o.rest', 'b')} }`,
    text`{ x: [${target}] = [${e}], y: ${target} = ${e} }`,
  )
}

const PLAIN = one(
  '1',
  '0',
  '2',
  'a',
  'b',
  's.slice(0, 2)',
  'o.x',
  'a++',
  '--b',
  'list.length',
  '(a = b)',
  '(b = a + 1)',
  '(a && (b = 3))',
  '(a || (b = s.slice(0, 2)))',
  'a === b',
)

/** Statements without any point, which assign a and b in some of their ways only: what is live at the points around them depends on that. */
function plain(depth: number): Arbitrary<string> {
  const simple = fc.oneof(text`${NAME} = ${PLAIN};`, text`s += ${PLAIN};`, text`${PLAIN};`)
  if (depth === 0) return simple
  const inner = plain(depth - 1)
  return fc.oneof(
    simple,
    text`${inner} ${inner}`,
    text`if (${PLAIN}) { ${inner} }`,
    text`if (${PLAIN}) { ${inner} } else { ${inner} }`,
    text`if (${PLAIN}) {} else ${simple}`,
    text`switch (${PLAIN}) { case ${PLAIN}: ${inner} ${one('break;', '')} case 1: ${inner} }`,
    text`switch (${PLAIN}) { case ${PLAIN}: ${inner} break; default: ${inner} }`,
    text`while (${PLAIN}) { ${inner} if (fuel-- < 0) break; ${inner} }`,
    text`do { ${inner} if (fuel-- < 0 || a) break; ${inner} } while (${PLAIN});`,
    text`for (let k = 0; k < ${one('0', '2', 'a')}; k++) { ${inner} if (fuel-- < 0) break; }`,
    text`for (const k of ${one('list', '[]', 'o.y')}) { ${inner} ${one('continue;', '')} b = k; }`,
    text`for (${NAME} of ${one('list', '[]')}) { ${inner} }`,
    text`for (${NAME} in ${one('o.z', '({})')}) { ${inner} }`,
    text`try { ${inner} ${one('throw 1;', 'null.x;', '')} ${inner} } catch { ${inner} }`,
    text`try { ${inner} if (${PLAIN}) throw 1; ${inner} } catch (e) { ${inner} } finally { ${inner} }`,
    text`away: { ${inner} if (${PLAIN}) break away; ${inner} }`,
    text`[${NAME} = ${PLAIN}, ${NAME}] = [${one('undefined', '1', 'b')}, a];`,
    text`{ let a = ${one('1', 'b', 'o.x')}; ${inner} b = a; }`,
  )
}

/** A statement, or several, nested up to some depth; `loops` says whether break and continue may stand here. */
function statement(size: GeneratorSize, inLoop: boolean): Arbitrary<string> {
  const e = expression(size.expressions)
  const fresh = one('1', 'yield* op("init")', '(yield* f(3)) + 1', '[o.x, yield* op(s)]', 'list', '{ v: yield* g(4) }')
  const simple = fc.oneof(
    { weight: 3, arbitrary: text`${e};` },
    { weight: 2, arbitrary: text`${NAME} = ${e};` },
    text`s += kind(${e}) === 1 ? 'i' : 'n';`,
    text`yield* op(${e});`,
    text`${plain(2)} ${one('yield* op("plain");', '', 's += a;')}`,
  )
  if (size.statements === 0) return simple
  const inner = { ...size, statements: size.statements - 1 }
  const block = fc.array(statement(inner, inLoop), { minLength: 1, maxLength: 3 }).map((all) => all.join('\n'))
  const body = fc
    .array(statement(inner, true), { minLength: 1, maxLength: 3 })
    .map((all) => `if (fuel-- < 0) return 'fuel';\n${all.join('\n')}`)
  const leave = inLoop
    ? one('break;', 'continue;', 'break outer;', 'continue outer;', 'return [a, b];', 'throw "left";')
    : one('return [a, b];', 'throw "left";', 'break whole;')
  const head = one('const v', 'let v', 'let [v]', 'let [v = 1]', 'const { x: v = 2 }', 'a', 'o.x', 'list[0]')
  const iterable = one(
    'list',
    'o.y',
    'numbers',
    'letters',
    'known',
    '"xy"',
    'list.entries()',
    'list.keys()',
    'o.y.values()',
    'known.values()',
    'new Ring(list)',
    'new Closing(list, closed)',
    '[yield* op("item"), a]',
    '(yield* op("iterable"), list)',
    'Object.entries(o)',
    '[[1, 2], [a]]',
  )
  const closures = one(
    'fs.push(() => v);',
    'fs.push(() => [v, a]);',
    'fs.push((q) => { v = [v]; return v });',
    'v = [v, 1]; fs.push(() => v);',
    'fs.push(() => v); v++;',
    'fs.push(function () { return v });',
    'fs.push(() => v); if (a) continue; v = 9;',
    '',
  )
  return fc.oneof(
    { weight: 4, arbitrary: simple },
    text`if (${e}) { ${block} }`,
    text`if (${e}) { ${block} } else { ${block} }`,
    text`{ let a = ${fresh}; const v = ${e}; ${block} yield* op('inner', a, v) }`,
    text`{ let [a, v = ${fresh}] = [${fresh}, ...list]; ${block} yield* op('inner', a, v) }`,
    text`{ let { x: a = ${fresh}, ...v } = o; ${block} yield* op('inner', a, v) }`,
    text`while (${e}) { ${body} }`,
    text`do { ${body} } while (${e})`,
    text`for (let i = 0; i < 3; i++) { ${body} s += i }`,
    text`for (let i = ${e}, j = 0; j < 2; j++, ${e}) { ${body} }`,
    text`outer: for (let i = 0; i < 2; i++) { ${body} for (let j = 0; j < 2; j++) { ${body} ${leave} } }`,
    text`for (${head} of ${iterable}) { ${body} }`,
    text`for (${one('const v', 'let v', 'a', 'o.x')} in ${one('o', 'list', '{ p: 1, q: 2 }', '(yield* op("keys"), o.z)', 'null', '"xy"')}) { ${body} }`,
    text`switch (${e}) { case ${e}: ${block} break; case ${e}: ${block} default: ${block} case 1: ${block} }`,
    text`switch (${e}) { default: { ${block} } case ${e}: { let a = ${fresh}; yield* op(a) } }`,
    text`try { ${block} } catch (e) { const k = kind(e); s += k; ${block} }`,
    text`try { ${block} } finally { ${block} }`,
    text`try { ${block} ${leave} } catch { ${block} } finally { ${block} }`,
    text`try { try { ${block} throw kind(${e}) } finally { try { ${block} } catch (e) { s += kind(e); ${block} } } } catch (e) { s += kind(e) }`,
    text`for (let n = 0; n < 2; n++) { try { ${block} } finally { try { ${body} ${one('continue;', 'break;', 'throw 1;', '')} } finally { ${block} } } }`,
    text`try { ${block} } catch ({ name = 'none' }) { s += name; ${block} }`,
    text`{ const fs = []; for (let v = 0; v < 3; v++) { ${closures} } s += fs.map((h) => h()).join() }`,
    text`{ const fs = []; for (let v of list) { ${closures} } s += fs.map((h) => h()).join() }`,
    text`{ const fs = []; for (let i = 0; i < 2; i++) { let v = a; ${closures} } s += fs.map((h) => h()).join() }`,
    text`for (let v = 0; v < 3; v++) { s += yield* effect(() => [v, a]); ${one('v += a === 1 ? 1 : 0;', '')} ${block} }`,
    text`for (let v = list; v; v = v.next) { s += yield* effect(() => v.length); ${block} }`,
    text`throw ${e};`.map((made) => `if (a === b) ${made}`),
    text`if (${e}) ${leave}`,
  )
}

/** Sizes of programs: small ones take a quarter of the time of the largest, and show most of what goes wrong. */
const SIZES: readonly { readonly weight: number; readonly size: GeneratorSize }[] = [
  { weight: 3, size: { expressions: 1, statements: 1 } },
  { weight: 2, size: { expressions: 2, statements: 1 } },
  { weight: 2, size: { expressions: 1, statements: 2 } },
  { weight: 1, size: { expressions: 2, statements: 2 } },
]

/** The declarations of OUTSIDE that a text uses, or that one of them does: what is not there need not be lowered. */
function outsideOf(body: string): string {
  const lines = OUTSIDE.trim().split('\n')
  const nameOf = (line: string): string => /^(?:class|const|function\*?) (\w+)/.exec(line)?.[1] ?? ''
  const used = new Set<string>()
  for (let text = body; text !== '';) {
    const found = lines.filter((line) => !used.has(line) && new RegExp(`\\b${nameOf(line)}\\b`).test(text))
    for (const line of found) used.add(line)
    text = found.join('\n')
  }
  return lines.filter((line) => used.has(line)).join('\n')
}

function programsOf(size: GeneratorSize): Arbitrary<string> {
  return fc.array(statement(size, false), { minLength: 1, maxLength: 4 }).map((all) => {
    const body = all.join('\n')
    return `${outsideOf(body)}\nfunction* main() {\n  ${START}\n  whole: {\n${body}\n  }\n  ${END}\n}`
  })
}

/** Whole programs of all sizes, whose entry is `main`. */
export function programs(): Arbitrary<string> {
  return fc.oneof(...SIZES.map(({ weight, size }) => ({ weight, arbitrary: programsOf(size) })))
}
