/// <reference lib="dom" />
import type { JSX } from 'preact'
import type { Waiting } from '../../trace/trace.ts'
import type { Report } from '../report.ts'

/** Sizes in pixels. */
const WIDTH = 560
const NODE = { width: 150, height: 40 }

/** Who waits for whom, as a drawing; what it says stands in words beside it. */
export function WaitGraph({
  report,
  waiting,
}: {
  readonly report: Report
  readonly waiting: readonly Waiting[]
}): JSX.Element | null {
  const edges = waiting.flatMap(({ actor, operation, target, heldBy }) =>
    heldBy.map((holder) => ({ from: actor, to: holder, text: `${operation} ${target}` })),
  )
  if (edges.length === 0) return null
  const nodes = inOrder(edges)
  const height = nodes.length <= 2 ? 150 : 320
  const centre = { x: WIDTH / 2, y: height / 2 }
  const radius =
    nodes.length <= 2
      ? { x: WIDTH / 2 - NODE.width / 2 - 10, y: 0 }
      : { x: WIDTH / 2 - NODE.width / 2 - 10, y: height / 2 - NODE.height }
  const at = new Map(
    nodes.map((node, i) => {
      const angle = Math.PI + (2 * Math.PI * i) / nodes.length
      return [node, { x: centre.x + radius.x * Math.cos(angle), y: centre.y + radius.y * Math.sin(angle) }]
    }),
  )
  return (
    <svg class="graph" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label="Who waits for whom">
      <defs>
        <marker id="points" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">
          <path d="M0 0L8 4L0 8z" class="tip" />
        </marker>
      </defs>
      {edges.map(({ from, to, text }, i) => {
        const [a, b] = [at.get(from), at.get(to)]
        if (!a || !b) return null
        const { path, label } = edgePath(a, b)
        return (
          <g key={i} class="edge">
            <path d={path} marker-end="url(#points)" />
            <text x={label.x} y={label.y} text-anchor="middle">
              {text}
            </text>
          </g>
        )
      })}
      {nodes.map((node) => {
        const { x, y } = at.get(node) as { x: number; y: number }
        return (
          <g key={node} class="node">
            <rect x={x - NODE.width / 2} y={y - NODE.height / 2} width={NODE.width} height={NODE.height} rx={6} />
            <text x={x} y={y - 2} text-anchor="middle">
              CPU {report.actors[node]?.cpu}
            </text>
            <text x={x} y={y + 13} text-anchor="middle" class="small">
              {report.actors[node]?.name}
            </text>
          </g>
        )
      })}
    </svg>
  )
}

/** The actors of the graph, each after one that waits for it where that can be: a cycle becomes a ring. */
function inOrder(edges: readonly { readonly from: number; readonly to: number }[]): number[] {
  const found: number[] = []
  const visit = (node: number): void => {
    if (found.includes(node)) return
    found.push(node)
    for (const { from, to } of edges) if (from === node) visit(to)
  }
  for (const { from } of edges) visit(from)
  return found
}

interface Point {
  readonly x: number
  readonly y: number
}

/** A curve from box to box, bent to one side so that two that go to and fro lie apart. */
function edgePath(a: Point, b: Point): { readonly path: string; readonly label: Point } {
  if (a === b) {
    const top = a.y - NODE.height / 2
    return {
      path: `M${a.x - 25} ${top}C${a.x - 40} ${top - 45} ${a.x + 40} ${top - 45} ${a.x + 25} ${top}`,
      label: { x: a.x, y: top - 40 },
    }
  }
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  const length = Math.hypot(dx, dy)
  const bend = { x: (dy / length) * 52, y: (-dx / length) * 52 }
  const middle = { x: (a.x + b.x) / 2 + bend.x, y: (a.y + b.y) / 2 + bend.y }
  const [start, end] = [edgeOf(a, middle), edgeOf(b, middle)]
  return {
    path: `M${start.x} ${start.y}Q${middle.x} ${middle.y} ${end.x} ${end.y}`,
    label: {
      x: (start.x + 2 * middle.x + end.x) / 4 + bend.x / 2,
      y: (start.y + 2 * middle.y + end.y) / 4 + bend.y / 3 + 4,
    },
  }
}

/** Where the line from a box's centre to a point leaves the box. */
function edgeOf(box: Point, to: Point): Point {
  const [dx, dy] = [to.x - box.x, to.y - box.y]
  const scale = Math.min(
    Math.abs(dx) < 1e-9 ? Infinity : (NODE.width / 2 + 3) / Math.abs(dx),
    Math.abs(dy) < 1e-9 ? Infinity : (NODE.height / 2 + 3) / Math.abs(dy),
  )
  return { x: box.x + dx * scale, y: box.y + dy * scale }
}
