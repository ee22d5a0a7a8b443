import type { SourcePlace } from '../../source/refusal.ts'

/** Things taken to be interchangeable turned out not to be: nothing found so far holds, the search begins again without. */
export class AsymmetryError extends Error {
  override readonly name = 'AsymmetryError'
  /** Name of the set that they belong to. */
  readonly set: string
  readonly isDeclared: boolean
  readonly at: SourcePlace | null

  constructor(set: string, isDeclared: boolean, reason: string, at: SourcePlace | null) {
    super(reason)
    this.set = set
    this.isDeclared = isDeclared
    this.at = at
  }
}
