import type { StateGraph } from '../../explore/witness/graph.ts'

const SHAPES = {
  inner: 'shape=circle',
  end: 'shape=doublecircle, color="#2e7d32"',
  stuck: 'shape=circle, style=filled, fillcolor="#ef9a9a"',
  fault: 'shape=box, style=filled, fillcolor="#ef9a9a"',
} as const

/** A state graph as Graphviz reads it; the initial state is drawn bold, states where no one can move are red. */
export function renderDot({ states, edges }: StateGraph, title: string): string {
  const lines = [
    `digraph ${quoted(title)} {`,
    '  rankdir=TB',
    '  node [fontname="sans-serif", fontsize=10]',
    '  edge [fontname="sans-serif", fontsize=9]',
  ]
  states.forEach(({ kind, label }, number) => {
    lines.push(
      `  ${number} [label=${quoted(label === '' ? String(number) : label)}, ${SHAPES[kind]}${number === 0 ? ', penwidth=3' : ''}]`,
    )
  })
  for (const { from, to, label } of edges) lines.push(`  ${from} -> ${to} [label=${quoted(label)}]`)
  return `${lines.join('\n')}\n}\n`
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}
