/** What a step has written so far, and what the operation had that it began with. */
export class StepWrites {
  /** Raw values by field id. */
  readonly all: ReadonlyMap<number, number>
  readonly #all = new Map<number, number>()
  /** Null: as far as it was kept, nothing was written since. */
  #first: ReadonlyMap<number, number> | null = new Map()

  constructor() {
    this.all = this.#all
  }

  /** A field is written. */
  set(id: number, raw: number): void {
    // copied only if there is more: most steps write in their first operation alone
    this.#first ??= new Map(this.#all)
    this.#all.set(id, raw)
  }

  /** What was written so far is what the first operation wrote. */
  keep(): void {
    this.#first = null
  }

  /** What the first operation wrote; {@link all} itself if nothing was written since. */
  get first(): ReadonlyMap<number, number> {
    return this.#first ?? this.all
  }
}
