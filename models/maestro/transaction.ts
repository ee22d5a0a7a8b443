// Maestro kernel/src/process/mem_space/transaction.rs: changes to an address space that happen all or not at all.
import { type Machine, type Operation, type Program, atomically } from 'vmcheck'
import type { FailureBudget } from 'vmcheck/vm'
import type { Found, Tree } from './tree.ts'

/** Which of its repairs the kernel has. */
export interface Fixes {
  /** 6a914226: an old value is saved at the first change of its key only. */
  readonly savesOnce: boolean
  /** Proposed (S2): look-ups do not find what is to be deleted. */
  readonly skipDiscarded: boolean
  /** How MAP_FIXED computes what is left of a gap: from byte addresses (until 96170d08), with an absolute end (since), right. */
  readonly remainder: 'bytes' | 'absolute-end' | 'relative'
  /** Mutant: removing a key deletes its node at once, so that a rollback has to insert it again. */
  readonly deletesEagerly: boolean
}

/** An address space and the transaction at work on it, which holds its lock for writing. */
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

/** insert: puts a value under a key, and remembers what was there. */
export function* insert(space: MemSpace, tree: Tree, key: number, size: number): Program<Outcome> {
  const node = tree.at(key)
  const old = node.present ? node.size : null
  if (old === null && !(yield* allocate(space, `a node of ${tree.name}`))) return 'ENOMEM'
  node.present = true
  node.size = size
  if (!(yield* remember(space, tree, key, old))) {
    node.present = old !== null
    node.size = old ?? 0
    return 'ENOMEM'
  }
  node.discarded = false
  return 'ok'
}

/** The complement of a key: what it held before the transaction; before 6a914226, before its last change. */
function* remember(space: MemSpace, tree: Tree, key: number, old: number | null): Program<boolean> {
  const node = tree.at(key)
  if (node.saved !== 'nothing' && space.savesOnce) return true
  if (node.saved === 'nothing' && !(yield* allocate(space, `a complement of ${tree.name}`))) return false
  node.saved = old === null ? 'absent' : 'value'
  node.savedSize = old ?? 0
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
    node.present = false
    node.size = 0
  }
  return 'ok'
}

/** commit: what was removed goes; nothing is left of the transaction. */
export function commit({ gaps, mappings }: MemSpace): void {
  for (const { nodes } of [gaps, mappings]) {
    for (const node of nodes) {
      if (node.discarded) node.size = 0
      if (node.discarded) node.present = false
      node.discarded = false
      node.saved = 'nothing'
      node.savedSize = 0
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
        node.size = node.savedSize
      }
      node.discarded = false
      node.saved = 'nothing'
      node.savedSize = 0
    }
  }
  yield* atomically(() => space.budget.endRollback())
}

/** The parts of a gap before and behind a range of it. */
export interface Remainders {
  readonly left: Found | null
  readonly right: Found | null
}

/** What is left of a gap when pages `from` to `to`, counted from its begin, are used. */
export function consume({ begin, size }: Found, from: number, to: number): Remainders {
  return {
    left: from > 0 ? { begin, size: Math.min(from, size) } : null,
    right: to < size ? { begin: begin + to, size: size - to } : null,
  }
}
