import { type ReadWriteSet, type Accesses, addTo } from '../step/accesses.ts'

/**
 * All that is touched from each node of a graph on: the least sets that hold what is touched at the node and what is
 * touched from the nodes after it on. Grows with the graph.
 */
export class Closure {
  readonly #accesses: Accesses
  readonly #touched = new Map<number, ReadWriteSet>()
  /** By node: those from which edges lead to it. */
  readonly #before = new Map<number, Set<number>>()

  constructor(accesses: Accesses) {
    this.#accesses = accesses
  }

  /** What is touched from a node on. */
  after(node: number): ReadWriteSet {
    let touched = this.#touched.get(node)
    if (!touched)
      this.#touched.set(
        node,
        (touched = { reads: new Int32Array(this.#accesses.words), writes: new Int32Array(this.#accesses.words) }),
      )
    return touched
  }

  /** Something is touched at a node. */
  add(node: number, access: ReadWriteSet): void {
    if (addTo(this.after(node), access)) this.#tell(node)
  }

  /** An edge leads from one node to another. */
  connect(node: number, next: number): void {
    let before = this.#before.get(next)
    if (!before) this.#before.set(next, (before = new Set()))
    before.add(node)
    this.add(node, this.after(next))
  }

  /** Tells the nodes before a node of what is new there, and so on. */
  #tell(first: number): void {
    const queue = new Set([first])
    for (const node of queue) {
      queue.delete(node)
      for (const one of this.#before.get(node) ?? []) if (addTo(this.after(one), this.after(node))) queue.add(one)
    }
  }
}
