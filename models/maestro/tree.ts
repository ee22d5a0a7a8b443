// Maestro's ordered maps under a transaction: what is in the tree, what will go at commit, what a rollback restores.
import { type Instance, type Machine, bool, oneOf, struct, u } from 'vmcheck'

/** What a mapping allows. Gaps have it, too, and no one asks. */
export type Protection = 'r' | 'rw'

/** A node, by its key: the page where the gap or mapping begins. */
export interface Node {
  present: boolean
  size: number
  prot: Protection
  /** To be deleted at commit; until then look-ups find it. */
  discarded: boolean
  /** The complement: what a rollback makes of the key. */
  saved: 'nothing' | 'absent' | 'value'
  savedSize: number
  savedProt: Protection
}

const PROTECTION = oneOf('rw', 'r')
const NodeStruct = struct<Node>('node', {
  present: bool,
  size: u(6),
  prot: PROTECTION,
  discarded: bool,
  saved: oneOf('nothing', 'absent', 'value'),
  savedSize: u(6),
  savedProt: PROTECTION,
})

/** A range of pages that a look-up found. */
export interface Found {
  readonly begin: number
  readonly size: number
  readonly prot: Protection
}

/** One of the two ordered maps of an address space. Its storage is a node for each possible key. */
export class Tree {
  readonly name: string
  readonly nodes: readonly Instance<Node>[]
  readonly #m: Machine

  constructor(m: Machine, name: string, pages: number, initial: readonly (readonly [begin: number, end: number])[]) {
    this.#m = m
    this.name = name
    this.nodes = m.array(NodeStruct, pages, name, (key) => {
      const range = initial.find(([begin]) => begin === key)
      return range ? { present: true, size: range[1] - range[0] } : {}
    })
  }

  /** The node of a key. */
  at(key: number): Instance<Node> {
    const node = this.nodes[key]
    if (!node) throw new RangeError(`${this.name} has no key ${key}`)
    return node
  }

  /** The ranges in the tree, in order; without those to be deleted, if `skipDiscarded`. */
  ranges(skipDiscarded = false): Found[] {
    return this.nodes.flatMap((node, begin) =>
      node.present && !(skipDiscarded && node.discarded) ? [{ begin, size: node.size, prot: node.prot }] : [],
    )
  }

  /** The range that contains a page. Where ranges overlap, the answer depends on the shape of the tree: any of them. */
  find(page: number, skipDiscarded: boolean): Found | null {
    const matches = this.ranges(skipDiscarded).filter(({ begin, size }) => begin <= page && page < begin + size)
    if (matches.length === 0) return null
    const names = matches.map(({ begin, size }) => `[${begin},${begin + size})`)
    return matches[this.#m.choose(matches.length, `the look-up of page ${page} in ${this.name}`, names)] ?? null
  }
}
