import type { Arena } from './arena.ts'

/** Words of a block. */
const BLOCK = 1 << 14

/** Places in the arena for leaves of steps that are executed each time: they are used again once the leaves are not needed. */
export class PassingLeaves {
  readonly #arena: Arena
  readonly #blocks: { readonly at: number; readonly words: number }[] = []
  /** The block in use, and how many of its words are. */
  #block = 0
  #used = 0

  constructor(arena: Arena) {
    this.#arena = arena
  }

  /** The leaves placed so far are not needed any more. */
  recycle(): void {
    this.#block = 0
    this.#used = 0
  }

  /** Whether a leaf lies here: soon another one will. */
  has(leaf: number): boolean {
    return this.#blocks.some(({ at, words }) => leaf >= at && leaf < at + words)
  }

  /** A place for a leaf of some words. */
  place(size: number): number {
    for (; ; this.#block++, this.#used = 0) {
      let block = this.#blocks[this.#block]
      if (block === undefined) {
        const words = Math.max(BLOCK, size)
        block = { at: this.#arena.allocate(words), words }
        this.#blocks.push(block)
      }
      if (this.#used + size > block.words) continue
      const at = block.at + this.#used
      this.#used += size
      return at
    }
  }
}
