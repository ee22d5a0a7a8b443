import type { StateGraph } from '../../explore/witness/graph.ts'

/** A state graph in the Aldebaran format, which mCRL2 and CADP read: a header, then a line for each step. */
export function renderAut({ states, edges }: StateGraph): string {
  const lines = [`des (0,${edges.length},${states.length})`]
  for (const { from, to, label } of edges)
    lines.push(`(${from},"${label.replaceAll('"', "'").replaceAll('\n', ' ')}",${to})`)
  return `${lines.join('\n')}\n`
}
