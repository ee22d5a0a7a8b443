import test from 'ava'
import { searchGraph } from '../../src/session/graph.ts'
import { renderAut } from '../../src/report/formats/aut.ts'
import { renderDot } from '../../src/report/formats/dot.ts'
import { exploreFile, exploreText, loadOnce, quiet } from '../harness/run.ts'

const REQUEST = {
  scenario: null,
  settings: [],
  granularity: null,
  reduce: 'none',
  maxStates: Infinity,
  memory: 1e9,
} as const

test('a graph has the states and transitions that exploring counts, and a state for each fault', async (t) => {
  for (const path of ['models/wire.ts', 'test/models/bounded-buffer.ts', 'models/serenity-zero.ts']) {
    const { graph, stopped } = await searchGraph(await loadOnce(path), REQUEST, quiet)
    const { stats } = await exploreFile(path, { reduce: 'none', keepGoing: true })
    t.is(stopped, null)
    t.is(graph.states.filter(({ kind }) => kind !== 'fault').length, stats.states, path)
    t.is(graph.edges.length, stats.transitions, path)
    t.is(graph.states.filter(({ kind }) => kind === 'end').length, stats.endStates, path)
  }
})

test('every state can be reached from the first one, and the formats say the same', async (t) => {
  const { graph, name } = await searchGraph(await loadOnce('models/wire.ts'), REQUEST, quiet)
  const [header, ...lines] = renderAut(graph).trimEnd().split('\n')
  t.is(header, `des (0,${graph.edges.length},${graph.states.length})`)
  t.is(lines.length, graph.edges.length)
  const reached = new Set([0])
  for (let before = -1; before !== reached.size;) {
    before = reached.size
    for (const line of lines) {
      const [, from, to] = /^\((\d+),"[^"]*",(\d+)\)$/.exec(line) ?? t.fail(line) ?? []
      if (reached.has(Number(from))) reached.add(Number(to))
    }
  }
  t.is(reached.size, graph.states.length)
  const dot = renderDot(graph, name)
  t.is(dot.match(/ -> /g)?.length, graph.edges.length)
  t.true(dot.includes('fillcolor') && dot.includes('doublecircle'))
})

test('a bound on states gives the states nearest to the first one', async (t) => {
  const { graph, stopped } = await searchGraph(await loadOnce('models/wire.ts'), { ...REQUEST, maxStates: 50 }, quiet)
  t.is(stopped, 'states')
  t.is(graph.states.length, 50)
  t.true(graph.edges.every(({ from, to }) => from < 50 && to < 50))
})

test('a model’s texts are data in both formats', async (t) => {
  const text = `import { model, pause } from 'vmcheck'
export default model({ title: 'a "title" \\\\ x', machine(m) { m.thread(function* a() { const n = m.choose(2, 'a "choice"\\nof two'); yield* pause(); m.assert(n === 0, 'quoted "text"') }) } })`
  t.is((await exploreText(text)).verdict, 'violation')
  const { bundleText } = await import('../harness/inline.ts')
  const { load } = await import('../../src/runtime/load.ts')
  const { graph, name } = await searchGraph(load(await bundleText(text)), REQUEST, quiet)
  t.true(
    renderAut(graph)
      .split('\n')
      .slice(1, -1)
      .every((line) => /^\(\d+,"[^"\n]*",\d+\)$/.test(line)),
  )
  t.true(
    renderDot(graph, name)
      .split('\n')
      .every((line) => (line.replaceAll('\\\\', '').replaceAll('\\"', '').match(/"/g)?.length ?? 0) % 2 === 0),
  )
})

test('with symmetry, the graph distinguishes CPUs that turn out to differ', async (t) => {
  const text = `import { atomically, model, struct, u2 } from 'vmcheck'
const X = struct('x', { v: u2 })
export default model({ title: 'unlike', machine(m) { const x = m.struct(X, 'x'); m.cpus(2, (cpu) => function* a() { yield* atomically(() => { x.v = cpu.index + 1 }) }) } })`
  const { bundleText } = await import('../harness/inline.ts')
  const { load } = await import('../../src/runtime/load.ts')
  const loaded = load(await bundleText(text))
  const [plain, reduced] = [
    await searchGraph(loaded, REQUEST, quiet),
    await searchGraph(loaded, { ...REQUEST, reduce: 'symmetry' }, quiet),
  ]
  t.deepEqual(reduced.graph, plain.graph)
})
