import type { Ordinal } from './quantities.ts'
/** A place in a source file. */
export interface SourcePlace {
  /** Path as shown to users: relative to the working directory where that is shorter. */
  readonly file: string
  /** From 1. */
  readonly line: Ordinal
  /** From 1. */
  readonly column: Ordinal
}

/** The request cannot be carried out with this model: what is wrong, where, and what to do. Exit status 2. */
export class Refusal extends Error {
  /** The name that tells this error from others. */
  override readonly name = 'Refusal'
  /** The place in the source; null where there is none. */
  readonly at: SourcePlace | null

  constructor(message: string, at: SourcePlace | null) {
    super(message)
    this.at = at
  }

  /** One line: `file:line:column: message`. */
  get line(): string {
    return this.at ? `${showPlace(this.at)}: ${this.message}` : this.message
  }
}

/** `file:line:column`. */
export function showPlace(at: SourcePlace): string {
  return `${at.file}:${at.line}:${at.column}`
}
