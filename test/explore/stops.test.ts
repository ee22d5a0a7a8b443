import test from 'ava'
import type { Report } from '../../src/report/report.ts'
import { exploreText, modelText } from '../harness/run.ts'

/** Peterson's filter lock; `kind` says how its accesses are written. */
function filterLock(n: number, kind: 'accesses' | 'helper' | 'operations'): string {
  const loop = {
    accesses: 'while (k !== i && level[k].v >= l && victim[l].v === i) {}',
    helper: 'while (blocked(i, l, k)) {}',
    operations:
      'while (k !== i && (yield* readOnce(() => level[k].v)) >= l && (yield* readOnce(() => victim[l].v)) === i) {}',
  }[kind]
  const write = (field: string, value: string): string =>
    kind === 'operations' ? `yield* atomically(() => { ${field} = ${value} })` : `${field} = ${value}`
  const count = (by: string): string =>
    kind === 'operations'
      ? `{ const v = yield* readOnce(() => cs.v); yield* atomically(() => { cs.v = v ${by} 1 }) }`
      : `cs.v ${by}= 1`
  const inside = kind === 'operations' ? '(yield* readOnce(() => cs.v))' : 'cs.v'
  return modelText(
    `const level = m.array(Loud, ${n}, 'level')
    const victim = m.array(Loud, ${n}, 'victim')
    const cs = m.struct(Loud, 'cs')
    const blocked = (i, l, k) => k !== i && level[k].v >= l && victim[l].v === i
    m.cpus(${n}, (cpu) => function* locks() {
      const i = cpu.index
      for (let l = 1; l < ${n}; l++) {
        ${write('level[i].v', 'l')}
        ${write('victim[l].v', 'i')}
        for (let k = 0; k < ${n}; k++) ${loop}
      }
      ${count('+')}
      m.assert(${inside} === 1, 'alone')
      ${count('-')}
      ${write('level[i].v', '0')}
    })
    void blocked`,
    "const Loud = struct('loud', { v: volatile(u4) })",
  )
}

function counts({ verdict, stats }: Report): unknown[] {
  return [verdict, stats.states, stats.transitions, stats.depth, stats.endStates]
}

test('the filter lock by plain accesses has the states that it has by operations', async (t) => {
  const expected = ['pass', 2_201, 6_012, 42, 3]
  for (const granularity of ['step', 'access'] as const) {
    t.deepEqual(counts(await exploreText(filterLock(3, 'accesses'), { granularity })), expected)
    t.deepEqual(counts(await exploreText(filterLock(3, 'operations'), { granularity })), expected)
  }
  // in a plain function no label can be put before an access: what it has read since it was called is told apart
  t.deepEqual(counts(await exploreText(filterLock(3, 'helper'))), ['pass', 2_915, 8_001, 42, 3])
})

test('the filter lock for four', async (t) => {
  t.deepEqual(counts(await exploreText(filterLock(4, 'accesses'), { reduce: 'none' })), [
    'pass',
    105_015,
    395_214,
    84,
    4,
  ])
})

/** Peterson's algorithm for two, its loop left empty. */
function peterson(rounds: string): string {
  const side = (me: number, other: number): string => `m.thread(function* side${me}() {
    for (${rounds}) {
      s.f${me} = true
      s.turn = ${other}
      while (s.f${other} && s.turn === ${other}) {}
      s.inside++
      m.assert(s.inside === 1, 'alone')
      s.inside--
      s.f${me} = false
    }
  })`
  return modelText(
    `const s = m.struct(struct('s', { f0: volatile(bool), f1: volatile(bool), turn: volatile(u2), inside: volatile(u2) }), 's')
    ${side(0, 1)}
    ${side(1, 0)}`,
  )
}

test('a loop over volatile fields that does nothing comes back to where it was', async (t) => {
  t.deepEqual(counts(await exploreText(peterson('let r = 0; r < 2; r++'))), ['pass', 318, 588, 36, 2])
  const forever = await exploreText(peterson(';;'))
  t.deepEqual([forever.violations[0]?.kind, forever.stats.states], ['livelock', 92])
})

test('a thread that waits for ever in a loop without an operation is found, whatever reads the field', async (t) => {
  const waits = {
    field: 'while (s.v === 0) {}',
    'plain function': 'while (isZero()) {}',
    getter: 'while (cell.isZero) {}',
    'optional chain': 'while (s?.v === 0) {}',
    pattern: 'for (;;) { const { v } = s; if (v !== 0) break }',
    'walk of a list':
      'for (let busy = true; busy;) { busy = false; for (const one of [s, s]) if (one.v === 0) busy = true }',
    'generator function': 'yield* waits(s)',
  }
  for (const [what, wait] of Object.entries(waits)) {
    for (const way of [{ reduce: 'none' }, { reduce: 'por' }, { strategy: 'dfs' }] as const) {
      const text = modelText(
        `const s = m.struct(struct('s', { v: volatile(u2) }), 's')
        const isZero = () => s.v === 0
        const cell = { get isZero() { return s.v === 0 } }
        function* waits(one) { while (one.v === 0) {} }
        void [isZero, cell, waits]
        m.thread(function* waiter() { ${wait} })
        m.thread(function* other() { x.v = 1 })`,
      )
      const { violations, stats } = await exploreText(text, way)
      t.is(violations.length, 1, what)
      t.regex(violations[0]?.kind ?? '', /deadlock|livelock/, what)
      t.true(violations[0]?.stuck.includes(0), what)
      t.true(stats.states < 20, `${what}: ${stats.states} states`)
    }
  }
})

test('what cannot be stored before an access is remembered by what was read', async (t) => {
  // a closure is in hand at the access, and an iterator of a Map
  const text = modelText(
    `const s = m.struct(struct('s', { v: volatile(u2) }), 's')
    m.thread(function* reads() {
      const twice = (n) => n * 2
      let sum = 0
      for (const [key, by] of new Map([[1, 1], [2, 2]])) sum += twice(s.v) * key * by
      x.v = sum
    })
    m.thread(function* writes() { s.v = 1 })
    m.atRest('a sum of what was read', () => [0, 8, 10].includes(x.v))`,
  )
  t.is((await exploreText(text)).verdict, 'pass')
})

test('what was changed between a label and an access is changed once', async (t) => {
  const text = modelText(
    `const s = m.struct(struct('s', { v: volatile(u2) }), 's')
    const push = (list) => { list.push(s.v); list.push(s.v); return list.length }
    m.thread(function* reads() {
      const list = []
      s.v = 1
      const n = push(list)
      m.assert(list.length === 2 && n === 2, 'two')
      const o = { n: s.v }
      o.n += s.v
      o.n++
      m.assert(o.n <= 7, 'small')
    })
    m.thread(function* writes() { s.v = 2; s.v = 3 })`,
  )
  for (const granularity of ['step', 'access'] as const)
    t.is((await exploreText(text, { granularity })).verdict, 'pass')
})
