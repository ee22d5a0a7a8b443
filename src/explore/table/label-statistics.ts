/**
 * Counts, for each label of the code, the steps recorded and (by samples) those asked for: a label that has thousands
 * of records and hardly a hit is not worth a table.
 */
export class LabelStatistics {
  readonly #patience: number
  readonly #records: number[] = []
  readonly #asked: number[] = []

  /** @param patience records of a label before it may be given up; below 0, all labels are */
  constructor(patience: number) {
    this.#patience = patience
  }

  /** Whether nothing at all is to be kept of a label that is given up. */
  get keepsNone(): boolean {
    return this.#patience < 0
  }

  /** A step was recorded; returns how many of its label were by now. */
  recorded(site: number): number {
    return (this.#records[site] = (this.#records[site] ?? 0) + 1)
  }

  /** A step of the label was asked for, one of `weight` as far as the sample goes. */
  asked(site: number, weight: number): void {
    this.#asked[site] = (this.#asked[site] ?? 0) + weight
  }

  /** Whether the label's records are asked for less than twice each, as far as there are samples enough to tell. */
  isHopeless(site: number): boolean {
    if (this.#patience < 0) return true
    const records = this.#records[site] ?? 0
    const asked = this.#asked[site] ?? 0
    return records > this.#patience && asked * 2 > records && asked < 2 * records
  }
}
