// Maestro kernel/src/process/mem_space/transaction.rs: changes to an address space that happen all or not at all.
import { type Instance, type Machine, type Operation, type Program, atomically } from 'vmcheck'
import type { FailureBudget } from 'vmcheck/vm'
import type { Found, Node, Protection, Tree } from './tree.ts'

/** Which of its repairs the kernel has. */
export interface Fixes {
  /** 6a914226: an old value is saved at the first change of its key only. */
  readonly savesOnce: boolean
  /** Proposed: look-ups do not find what is to be deleted. */
  readonly skipDiscarded: boolean
  /** How MAP_FIXED computes what is left of a gap: from byte addresses (until 96170d08), with an absolute end (since), right. */
  readonly remainder: 'bytes' | 'absolute-end' | 'relative'
  /** Mutant: removing a key deletes its node at once, so that a rollback has to insert it again. */
  readonly deletesEagerly: boolean
  /** set_prot changes a mapping that is all within its range at once, for good. */
  readonly protectsInPlace: boolean
}

/** An address space and the transaction running on it, which holds its lock for writing. */
export interface MemSpace extends Fixes {
  readonly m: Machine
  readonly budget: FailureBudget
  readonly gaps: Tree
  readonly mappings: Tree
}

/** Whether an operation went through. */
export type Outcome = 'ok' | 'ENOMEM'

/** An allocation that may fail: whether it succeeded. */
export function allocate({ budget }: Pick<MemSpace, 'budget'>, what: string): Operation<boolean> {
  return atomically(() => !budget.strikes(what))
}

/** What a node holds. */
interface Value {
  readonly size: number
  readonly prot: Protection
}

/** What an absent node holds, in every state alike. */
const NOTHING: Value = { size: 0, prot: 'rw' }

/** insert: puts a range under its key, and remembers what was there. */
export function* insert(space: MemSpace, tree: Tree, { begin, size, prot }: Found): Program<Outcome> {
  const node = tree.at(begin)
  const old = node.present ? { size: node.size, prot: node.prot } : null
  if (old === null && !(yield* allocate(space, `a node of ${tree.name}`))) return 'ENOMEM'
  node.present = true
  node.size = size
  node.prot = prot
  if (!(yield* remember(space, tree, begin, old))) {
    node.present = old !== null
    Object.assign(node, old ?? NOTHING)
    return 'ENOMEM'
  }
  node.discarded = false
  return 'ok'
}

/** The complement of a key: what it held before the transaction; before 6a914226, before its last change. */
function* remember(space: MemSpace, tree: Tree, key: number, old: Value | null): Program<boolean> {
  const node = tree.at(key)
  if (node.saved !== 'nothing' && space.savesOnce) return true
  if (node.saved === 'nothing' && !(yield* allocate(space, `a complement of ${tree.name}`))) return false
  node.saved = old === null ? 'absent' : 'value'
  node.savedSize = old?.size ?? 0
  node.savedProt = old?.prot ?? 'rw'
  return true
}

/** remove: marks a key to be deleted at commit. */
export function* remove(space: MemSpace, tree: Tree, key: number): Program<Outcome> {
  const node = tree.at(key)
  if (!node.present || node.discarded) return 'ok'
  if (!(yield* allocate(space, `a discarded key of ${tree.name}`))) return 'ENOMEM'
  node.discarded = true
  if (space.deletesEagerly) {
    node.saved = 'value'
    node.savedSize = node.size
    node.savedProt = node.prot
    node.present = false
    Object.assign(node, NOTHING)
  }
  return 'ok'
}

/** commit: what was removed goes; nothing is left of the transaction. */
export function commit({ gaps, mappings }: MemSpace): void {
  for (const { nodes } of [gaps, mappings]) {
    for (const node of nodes) {
      if (node.discarded) Object.assign(node, { ...NOTHING, present: false })
      settle(node)
    }
  }
}

/** The transaction is dropped: every key becomes what its complement says. */
export function* rollback(space: MemSpace): Program {
  yield* atomically(() => space.budget.beginRollback())
  for (const tree of [space.gaps, space.mappings]) {
    for (const node of tree.nodes) {
      if (node.saved === 'value' && !node.present) yield* allocate(space, `a node of ${tree.name}`)
      if (node.saved !== 'nothing') {
        node.present = node.saved === 'value'
        Object.assign(node, node.saved === 'value' ? { size: node.savedSize, prot: node.savedProt } : NOTHING)
      }
      settle(node)
    }
  }
  yield* atomically(() => space.budget.endRollback())
}

/** Nothing of a transaction is left in a node. */
function settle(node: Instance<Node>): void {
  node.discarded = false
  node.saved = 'nothing'
  node.savedSize = 0
  node.savedProt = 'rw'
}

/** The parts of a range before and behind a part of it. */
export interface Remainders {
  readonly left: Found | null
  readonly right: Found | null
}

/** What is left of a gap or mapping when pages `from` to `to`, counted from its begin, are taken out. */
export function consume({ begin, size, prot }: Found, from: number, to: number): Remainders {
  return {
    left: from > 0 ? { begin, size: Math.min(from, size), prot } : null,
    right: to < size ? { begin: begin + to, size: size - to, prot } : null,
  }
}
