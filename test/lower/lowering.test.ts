import { readFileSync } from 'node:fs'
import test from 'ava'
import { transformSync } from 'esbuild'
import fc from 'fast-check'
import { lower } from '../../src/lower/lower.ts'
import { difference, generatedAgree } from './generated/agree.ts'

/** Programs in which everything that lowering has to get right occurs; `op(...)` is an operation whose result is drawn by the test. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'variables that some ways write only': `function* program() { let a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7; const x = yield* op('x')
    if (x) { a = 10 }
    if (x) { b = 20 } else { c = 21 }
    switch (x) { case 1: c = 30; break; case 2: c = 31 }
    for (const k of x ? [1] : []) d = k
    while (x) { e = 50; break }
    try { if (x === 2) throw 1; f = 60 } catch { f += 1 }
    x && (g = 70)
    const all = [a, b, c, d, e, f, g]; yield* op('y'); return all }`,
  'try and finally around points': `
    function* inner(n) { try { yield* op('a', n); if (n > 2) return 'early'; yield* op('b') } finally { yield* op('cleanup', n) } return 'late' }
    function* program() { const got = []; for (let i = 0; i < 5; i++) got.push(yield* inner(i)); return got }`,
  'catch, rethrow and nested finally': `
    function* risky(k) { try { try { const r = yield* op('x', k); if (r === 1) throw 'one'; if (r === 2) throw 'two'; return r } catch (e) { yield* op('caught', e); if (e === 'two') throw 'again'; return 'saved' } finally { yield* op('inner') } } finally { yield* op('outer', k) } }
    function* program() { const out = []; for (const k of [0, 1, 2, 3]) { try { out.push(yield* risky(k)) } catch (e) { out.push('!' + e) } } return out }`,
  'break, continue and return through finally': `
    function* program() { let log = ''; outer: for (let i = 0; i < 4; i++) { try { for (;;) { try { const r = yield* op('r', i); if (r === 0) continue outer; if (r === 1) break; if (r === 2) return log + 'returned'; if (r === null) break outer; log += 'n' } finally { log += 'f'; yield* op('fin', log) } } } finally { log += 'F' } } return log }`,
  'a return in finally wins': `function* program() { try { try { yield* op(1); throw 'lost' } finally { const r = yield* op(2); if (r === 1) return 'replaced' } } catch (e) { return 'caught ' + e } return 'none' }`,
  'aliasing across frames': `
    function* lookup(out, list) { yield* op('look'); out.va = 7; list.push(list.length); yield* op('found', list.length) }
    function* program() { const out = { va: 0 }; const list = []; const both = [list, list]; yield* lookup(out, list); yield* op('after', out.va); both[0].push('x'); yield* op('len', both[1].length); return [out.va, both[1].length, both[0] === both[1]] }`,
  'cyclic data': `function* program() { const a = { next: null, n: 1 }; const b = { next: a, n: 2 }; a.next = b; yield* op('x'); a.n = 5; yield* op(b.next.n); return [a.next.next.n, a.next.next === a] }`,
  'class methods and private fields': `
    class Counter { #steps = 3; static made = 0; constructor(k) { this.k = k } get double() { return this.k * 2 } *run(from = 1, ...rest) { for (let i = from; i < this.#steps; i++) yield* op(this.k, i, this.double, rest.length); return yield* this.#more({ a: this.k }) } *#more({ a, b = a + 1 }) { yield* op(a, b); return Counter.tag(b) } static tag(x) { return 'tag' + x } static *make(n) { yield* op('make', n); return n } }
    class Sub extends Counter { *run(...args) { const r = yield* super.run(...args); yield* op('sub', r, super.double); return r } }
    const one = new Counter(10); const two = new Sub(20)
    function* program() { const r = yield* one.run(); const s = yield* two.run(0, 'p', 'q'); return [r, s, yield* Counter.make(3)] }`,
  'methods of object literals': `
    const machine = { name: 'm', *go(n) { yield* op(this.name, n); return this.twice(n) }, twice(n) { return n * 2 }, ['computed' + 1]: 4 }
    function* program() { return [yield* machine.go(4), machine.computed1] }`,
  'shadowing and block scope': `
    function* program(x = 1) { let r = []; { let x = 2; yield* op(x); r.push(x); { const x = 3; yield* op(x); r.push(x) } r.push(x) } for (let x = 5; x < 7; x++) { let y; if (x === 5) y = 'set'; yield* op(x, y); r.push(y) } r.push(x); return r }`,
  'dead variables': `
    function* program() { let big = [1, 2, 3]; let n = big.length; yield* op(n); let unused = { gone: true }; n += 1; yield* op(n); const late = yield* op('late'); return [n, late] }`,
  destructuring: `
    function* program() { const { a, b: { c = 9, ...others }, ...rest } = { a: 1, b: { d: 2, e: 3 }, f: 4 }; yield* op(a, c, others, rest); let [x, , y = 5, ...tail] = [1, 2, undefined, 4, 6]; yield* op(x, y, tail); [x, y] = [y, x]; for (const [k, v] of Object.entries({ p: 1, q: 2 })) yield* op(k, v); try { throw { code: 3, why: 'w' } } catch ({ code, why }) { yield* op(code, why) } return [x, y] }`,
  'for-of over arrays, Sets, Maps and strings': `
    function* program() { const seen = []; for (const x of new Set([3, 1, 3, 2])) { if (x === 1) continue; seen.push(yield* op('set', x)); if (seen.length > 5) break } for (const [k, v] of new Map([['a', 1], ['b', 2]])) seen.push(yield* op(k, v)); for (const ch of 'hé') yield* op(ch); const grow = [1]; for (const g of grow) { if (grow.length < 3) grow.push(g + 1); yield* op('grow', g) } return [seen.length, grow] }`,
  'points inside expressions': `
    function f(...xs) { return xs.join('-') }
    function* g(v) { return yield* op('g', v) }
    function* program() { let x = 1; x += yield* op('p'); const deep = yield* g(yield* g(yield* op('deep'))); const o = { n: 1, list: [0, 0] }; o.n ||= yield* op('never'); o.list[(yield* op('index')) === 1 ? 1 : 0] = yield* op('value'); const t = \`\${yield* op('t1')}/\${x}\`; const all = f(yield* op(1), x, yield* op(2), [3, yield* op(3)]); const c = (yield* op('c')) ? yield* op('then') : yield* op('else'); const s = (yield* op('and')) && (yield* op('both')); const n = (yield* op('nul')) ?? (yield* op('dflt')); return [String(x), o, t, all, c, s, n, o?.list?.length] }`,
  'switch, do-while and labels': `
    function* program() { const out = []; let i = 0; do { switch (yield* op('s', i)) { case 0: out.push('zero'); case 1: out.push('one'); yield* op('in one'); break; case 's': { const deep = out.length; yield* op(deep); out.push(deep); break } default: out.push('other') } } while (++i < 4); return out }`,
  'recursion and mutual recursion': `
    function* even(n) { return n === 0 ? true : yield* odd(n - 1) } function* odd(n) { yield* op('odd', n); return n === 0 ? false : yield* even(n - 1) }
    function* fib(n) { if (n < 2) return n; yield* op('fib', n); return (yield* fib(n - 1)) + (yield* fib(n - 2)) }
    function* program() { return [yield* even(5), yield* fib(5)] }`,
  'closures used within a step': `
    function* program() { const xs = [3, 1, 2]; let sum = 0; for (const x of xs) { const bigger = xs.filter((y) => y > x); sum += bigger.length; yield* op(x, bigger) } xs.forEach((x) => { sum += x }); yield* op(sum); const picked = xs.find((x) => x === sum) ?? 'none'; return [sum, picked] }`,
  'variables kept over jumps out of the middle': `
    function* program() { let last = 0; for (let i = 1; i < 4; i++) { last = i; yield* op(i) } let x = 1; const c = (yield* op('c')) === 1; if (c) { x = 2; yield* op('in') } let y = 5; const z = c ? ((y = 4), yield* op('z')) : 3; let owner = true; if ((yield* op('busy')) === 0) { owner = false; yield* op('waited') } let q = 'none'; for (q of [7, 8]) yield* op(q); switch (yield* op('s')) { case 1: x = 9; yield* op('one'); break; default: yield* op('other') } return [last, x, y, z, owner, q] }`,
  'a completion forgotten by leaving finally': `
    function* program() { const out = []; for (let i = 0; i < 3; i++) { try { try { yield* op(i); if (i === 0) throw 'a' } finally { if (i === 0) throw 'b' } out.push('ok') } catch (e) { out.push(e) } } for (let i = 0; i < 3; i++) { try { yield* op('p', i); if (i < 2) throw 'x' } finally { if (i === 0) continue; if (i === 1) break } } yield* op('end'); return out }`,
  'names that collide': `
    const URL = 5
    function* program(__values = 1) { const $values = [1]; yield* op('x'); { const structuredClone = 2; yield* op(structuredClone) } for (const x of [1, 2]) { const x = 9; yield* op(x) } return [$values[0], typeof structuredClone, __values, URL] }`,
  'standard functions around points': `function n(v) { return typeof v === 'number' ? v : 0 }
    function* program() { return [Math.max(n(yield* op('a')), n(yield* op('b'))), String(yield* op('c')), (yield* op('d')) ?? (yield* op('e'))] }`,
  'for-in': `function* program() { const out = []; for (const k in { a: 1, b: 2, c: 3 }) { if (k === 'b') continue; out.push(k); yield* op(k) } for (const k in { z: 1 }) out.push(k); return out }`,
  'templates made before a point': `
    function* program() { const o = { n: 1 }; const a = \`\${o.n++}\` + (yield* op(o.n)); const b = ((yield* op('x')), \`\${o.n++}\`) + (yield* op(o.n)); if (\`\${o.n++}\` < (yield* op(o.n))) o.n++; return [a, b, o.n] }`,
  'targets before values': `
    function* program() { let o = { x: 1 }; const p = o; o.x = (o = { x: 5 }, 2); o.x += (o = p, 3); let list = [o]; let i = 0; list[i].x = ((i = 7), (list = null), 9); yield* op(o.x, p.x); const q = { n: 1 }; let r = q; r.n ||= 4; r.m ??= (r = { m: 3 }, 8); r.n &&= 6; return [o, p, q, r, q.n++, ++q.n, q] }`,
  'odd values': `function* program() { const odd = [-0, NaN, 1e300, 0.5, undefined, null, '', '1', 1, true, 10n, 2 ** 31, -(2 ** 31), { a: undefined }]; yield* op('x'); return odd.map((v) => (Object.is(v, -0) ? 'minus zero' : typeof v + String(v))) }`,
}

for (const [name, text] of Object.entries(PROGRAMS)) {
  test(`lowered and native agree: ${name}`, (t) => {
    const tally = { agreed: 0, refused: 0 }
    t.is(
      difference(
        text,
        text,
        'program',
        Array.from({ length: 200 }, (_, seed) => seed),
        tally,
      ),
      null,
    )
    t.is(tally.agreed, 1)
  })
}

for (const part of readFileSync('test/lower/generated/programs.txt', 'utf8')
  .split(/^\/\/# /m)
  .slice(1)) {
  const [name, ...lines] = part.split('\n')
  test(`lowered and native agree, or it is refused: ${name}`, (t) => {
    const text = lines.join('\n')
    t.is(
      difference(text, transformSync(text, { loader: 'ts', target: 'esnext' }).code, 'main', [0, 1, 2, 3, 4, 5, 6, 7]),
      null,
    )
  })
}

test('generated programs: lowered and native agree, or they are refused', (t) => {
  const tally = { agreed: 0, refused: 0 }
  fc.assert(generatedAgree(tally), { numRuns: 250 })
  t.log(`${tally.agreed} agree, ${tally.refused} refused`)
  t.true(tally.agreed > 2 * tally.refused, `${tally.agreed} agree, ${tally.refused} refused`)
})

test('a variable that is dead at a point is not stored', (t) => {
  const text = `function* program() { const big = [1, 2]; yield* op(big.length); const n = yield* op('second'); return n }`
  const code = lower(text, 'program.js', false)
  const live = [...code.matchAll(/(\d+): \[([^\]]*)\]/g)].map(([, label, slots]) => [Number(label), slots])
  t.deepEqual(live.at(-1), [4, ''])
  t.true(live.every(([label, slots]) => ((label as number) > 1 ? slots === '' : true)))
})
