/**
 * The strongly connected components of a graph, by node: nodes have the same number iff each can be reached from the
 * other (Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1972, without recursion).
 *
 * @param edges by node: the nodes that edges lead to
 */
export function components(edges: ReadonlyMap<number, Iterable<number>>): Map<number, number> {
  const component = new Map<number, number>()
  const order = new Map<number, number>()
  const lowest = new Map<number, number>()
  const open: number[] = []
  for (const root of edges.keys()) {
    if (order.has(root)) continue
    const path: { readonly node: number; readonly left: Iterator<number> }[] = []
    const enter = (node: number): void => {
      order.set(node, order.size)
      lowest.set(node, order.get(node) as number)
      open.push(node)
      path.push({ node, left: (edges.get(node) ?? [])[Symbol.iterator]() })
    }
    const lower = (node: number, bound: number): void =>
      void lowest.set(node, Math.min(lowest.get(node) as number, bound))
    enter(root)
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const { node, left } = top
      const next = left.next()
      if (!next.done) {
        if (!order.has(next.value)) enter(next.value)
        else if (!component.has(next.value)) lower(node, order.get(next.value) as number)
        continue
      }
      path.pop()
      const parent = path.at(-1)
      if (parent) lower(parent.node, lowest.get(node) as number)
      if (lowest.get(node) !== order.get(node)) continue
      for (let member = -1; member !== node;) {
        member = open.pop() as number
        component.set(member, node)
      }
    }
  }
  return component
}
