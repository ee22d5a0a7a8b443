/*
 * Leaves of a step table's trees, in its arena: what one step does wherever its dependences are the same.
 *
 *   head        outcome and flags
 *   local       number of the local state reached
 *   touched     fields read or written, and
 *   written     fields written, as sets of bits by field id modulo 32
 *   footprint   number of the footprint, for the race check
 *   access      number of all that is touched
 *   holders     of a blocked attempt: mask of the actors that alone could end the wait
 *   site        where in the code the step begins
 *   three ends  of the triples of writes, of those of the first operation, and of the alternatives taken
 *   triples     word, bits to keep, bits to set; at most one a word
 */

/** Words before the triples. */
export const LEAF = {
  head: 0,
  local: 1,
  touched: 2,
  written: 3,
  footprint: 4,
  access: 5,
  holders: 6,
  site: 7,
  writesEnd: 8,
  firstEnd: 9,
  choicesEnd: 10,
  writes: 11,
} as const

/** Mask of the outcome in a leaf's head. */
export const OUTCOME = 3
/** Outcomes. */
export const STEP = 0
export const BLOCKED = 1
export const FAULT = 2
/** The step went round a loop that contains a point. */
export const LOOPED = 4
/** The actor moves by it: it reads nothing shared (who runs where apart), so that it waits for nothing, or continues in its code. */
export const GOES = 8
/** The actor stays where it is in its code, and moves unless the state stays as it is: else it spins. */
export const MAY_GO = 16
/** It makes plain accesses before its first release. */
export const PLAIN = 32
/** It changes nothing at all. */
export const IDLE = 64
/** It is blocked, and only `holders` could end that. */
export const HELD = 128
/** It begins with an operation that may sleep. */
export const SLEEPS = 256
/** Of a thread alone on its CPU: it begins with interrupts off, or with preemption off. */
export const INTERRUPTS_OFF = 512
export const PREEMPTION_OFF = 1024

/** What a leaf is made of. */
export interface LeafParts {
  readonly head: number
  readonly local: number
  readonly touched: number
  readonly written: number
  readonly footprint: number
  readonly access: number
  readonly holders: number
  readonly site: number
  readonly writes: readonly number[]
  readonly firstWrites: readonly number[]
  readonly choices: readonly number[]
}

/** Words of a leaf. */
export function leafSize({ writes, firstWrites, choices }: LeafParts): number {
  return LEAF.writes + writes.length + firstWrites.length + choices.length
}

/** Writes a leaf at its place. */
export function writeLeaf(words: Int32Array, at: number, leaf: LeafParts): void {
  const writesEnd = at + LEAF.writes + leaf.writes.length
  const firstEnd = writesEnd + leaf.firstWrites.length
  // one by one: once for every step that is executed each time
  words[at + LEAF.head] = leaf.head
  words[at + LEAF.local] = leaf.local
  words[at + LEAF.touched] = leaf.touched
  words[at + LEAF.written] = leaf.written
  words[at + LEAF.footprint] = leaf.footprint
  words[at + LEAF.access] = leaf.access
  words[at + LEAF.holders] = leaf.holders
  words[at + LEAF.site] = leaf.site
  words[at + LEAF.writesEnd] = writesEnd
  words[at + LEAF.firstEnd] = firstEnd
  words[at + LEAF.choicesEnd] = firstEnd + leaf.choices.length
  copy(leaf.writes, words, at + LEAF.writes)
  copy(leaf.firstWrites, words, writesEnd)
  copy(leaf.choices, words, firstEnd)
}

function copy(from: readonly number[], to: Int32Array, at: number): void {
  for (let i = 0; i < from.length; i++) to[at + i] = from[i] as number
}

/** The alternatives taken in a step. */
export function leafChoices(words: Int32Array, leaf: number): number[] {
  const from = words[leaf + LEAF.firstEnd] as number
  const to = words[leaf + LEAF.choicesEnd] as number
  return from === to ? [] : [...words.subarray(from, to)]
}

/** Applies the shared writes of a leaf to a state. */
export function applyWrites(words: Int32Array, leaf: number, state: Int32Array): void {
  applyTriples(words, leaf + LEAF.writes, words[leaf + LEAF.writesEnd] as number, state)
}

/** Whether the writes of a leaf leave the state that begins at `base` as it is. */
export function leavesAsIs(words: Int32Array, leaf: number, states: Int32Array, base: number): boolean {
  for (let i = leaf + LEAF.writes, end = words[leaf + LEAF.writesEnd] as number; i < end; i += 3) {
    const before = states[base + (words[i] as number)] as number
    if (before !== ((before & (words[i + 1] as number)) | (words[i + 2] as number))) return false
  }
  return true
}

/** Applies the shared writes of the operation that a step begins with. */
export function applyFirstWrites(words: Int32Array, leaf: number, state: Int32Array): void {
  applyTriples(words, words[leaf + LEAF.writesEnd] as number, words[leaf + LEAF.firstEnd] as number, state)
}

function applyTriples(words: Int32Array, from: number, to: number, state: Int32Array): void {
  for (let i = from; i < to; i += 3) {
    const word = words[i] as number
    state[word] = ((state[word] as number) & (words[i + 1] as number)) | (words[i + 2] as number)
  }
}
