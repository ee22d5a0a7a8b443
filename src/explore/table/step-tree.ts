import type { Arena } from './arena.ts'
import type { Cell } from '../state/layout.ts'

/*
 * Decision trees in an arena. A slot holds 0 (not known yet), the number of a node, or the negated number of a leaf.
 *
 *   dense node   word << 5 | shift, mask, a slot for each value        fields of up to 6 bits
 *   chain node   CHAIN, word << 5 | shift, mask, BUCKETS first links   wider fields
 *   link         value, slot, next link
 *   choice node  CHOICE, n, a slot for each alternative
 *   direct node  DIRECT                                                the step is executed each time
 *
 * Only the header of a dense node is not negative, so that the walk over dense nodes tests one sign.
 */

/** Header of a node that branches over a wide field. */
export const CHAIN = -1
/** Header of a node that branches over alternatives. */
export const CHOICE = -2
/** Header of the node that stands for a step not worth recording. */
export const DIRECT = -3

const BUCKETS = 16
const DENSE_MASK = 63

/**
 * The slot below a read node for what a state holds; 0 when a wide field has a value not seen yet.
 *
 * @param node a dense or chain node
 */
export function readSlot(words: Int32Array, node: number, state: Int32Array): number {
  const head = words[node] as number
  if (head >= 0) return node + 2 + (((state[head >>> 5] as number) >>> (head & 31)) & (words[node + 1] as number))
  const place = words[node + 1] as number
  return linkSlot(words, node, ((state[place >>> 5] as number) >>> (place & 31)) & (words[node + 2] as number))
}

/**
 * Follows read nodes from a node on: the leaf below, negated, or the first node that is none of them; 0 where something
 * is not known yet. The walk that the search spends its time in, {@link readSlot} written out.
 *
 * @param states the state begins at `base`
 */
export function descend(words: Int32Array, from: number, states: Int32Array, base: number): number {
  let node = from
  while (node > 0) {
    const head = words[node] as number
    if (head >= 0) {
      node = words[
        node + 2 + (((states[base + (head >>> 5)] as number) >>> (head & 31)) & (words[node + 1] as number))
      ] as number
      continue
    }
    if (head !== CHAIN) return node
    const place = words[node + 1] as number
    const slot = linkSlot(
      words,
      node,
      ((states[base + (place >>> 5)] as number) >>> (place & 31)) & (words[node + 2] as number),
    )
    if (slot === 0) return 0
    node = words[slot] as number
  }
  return node
}

function bucketOf(node: number, value: number): number {
  return node + 3 + ((value ^ (value >>> 4)) & (BUCKETS - 1))
}

function linkSlot(words: Int32Array, node: number, value: number): number {
  for (let link = words[bucketOf(node, value)] as number; link !== 0; link = words[link + 2] as number)
    if (words[link] === value) return link + 1
  return 0
}

/**
 * The slot below `slot` for a value read at one part of a cell, growing the tree as needed; 0 when the tree there
 * branches over something else.
 */
export function growRead(arena: Arena, slot: number, { word, shift, mask }: Cell, value: number): number {
  const { words } = arena
  const place = (word << 5) | shift
  const isDense = (mask & ~DENSE_MASK) === 0
  let node = words[slot] as number
  if (node === 0) {
    const made = arena.allocate(isDense ? 3 + mask : 3 + BUCKETS)
    words[made] = isDense ? place : CHAIN
    words[made + 1] = isDense ? mask : place
    if (!isDense) words[made + 2] = mask
    node = arena.publish(slot, made)
  }
  if (node < 0 || words[node] !== (isDense ? place : CHAIN)) return 0
  if (isDense) return words[node + 1] === mask ? node + 2 + value : 0
  return words[node + 1] === place && words[node + 2] === mask ? growLink(arena, node, value) : 0
}

function growLink(arena: Arena, node: number, value: number): number {
  const { words } = arena
  const known = linkSlot(words, node, value)
  if (known !== 0) return known
  const made = arena.allocate(3)
  words[made] = value
  let end = bucketOf(node, value)
  for (;;) {
    const link = arena.publish(end, made)
    if (words[link] === value) return link + 1
    end = link + 2
  }
}

/** The slot below `slot` for an alternative; 0 when the tree there branches over something else. */
export function growChoice(arena: Arena, slot: number, n: number, taken: number): number {
  const { words } = arena
  let node = words[slot] as number
  if (node === 0) {
    const made = arena.allocate(2 + n)
    words[made] = CHOICE
    words[made + 1] = n
    node = arena.publish(slot, made)
  }
  return node > 0 && words[node] === CHOICE && words[node + 1] === n ? node + 2 + taken : 0
}

/**
 * Adds the leaves of all alternatives of a choice from a position on, where reads lead to them; returns the position after
 * them, or the same if some are not known or behind another choice.
 */
export function addAlternatives(
  words: Int32Array,
  choice: number,
  states: Int32Array,
  base: number,
  leaves: Int32Array,
  from: number,
): number {
  let at = from
  for (let slot = choice + 2, end = slot + (words[choice + 1] as number); slot < end; slot++) {
    const node = descend(words, words[slot] as number, states, base)
    if (node >= 0) return from
    leaves[at++] = -node
  }
  return at
}
