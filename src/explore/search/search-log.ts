import type { Range } from '../store/store-buffers.ts'
import type { LocatedFinding } from '../successors/findings.ts'
import type { Expansion } from './expansion.ts'
import { Level } from './level.ts'
import type { ExpandResult } from './search-worker.ts'

/** What a search has done and found so far. */
export class SearchLog {
  readonly levels: Level[] = []
  readonly findings: LocatedFinding[] = []
  /** Whether some step closed a loop. */
  looped = false
  readonly #expansion: Expansion

  /** @param expansion knows which of two findings comes first */
  constructor(expansion: Expansion) {
    this.#expansion = expansion
  }

  /** Depth of the level that is explored now; -1 before the first. */
  get depth(): number {
    return this.levels.length - 1
  }

  /** A level begins. */
  begin(ranges: readonly Range[]): void {
    this.levels.push(new Level(ranges))
  }

  /** Forgets everything: the search begins again. */
  clear(): void {
    this.levels.length = 0
    this.findings.length = 0
    this.looped = false
  }

  /** Takes over what an earlier run had done and found. */
  restore({
    levels,
    findings,
    looped,
  }: {
    readonly levels: readonly Level[]
    readonly findings: readonly LocatedFinding[]
    readonly looped: boolean
  }): void {
    this.levels.push(...levels)
    this.findings.push(...findings)
    this.looped = looped
  }

  /** Adds what workers did to the counts of the level that is explored now, and of levels after it. */
  merge(results: readonly ExpandResult[]): void {
    const first = this.depth
    for (const { levels } of results) {
      levels.forEach(({ counts, ranges }, i) => {
        if (first + i === this.levels.length) this.begin(ranges)
        this.levels[first + i]?.add(counts)
        this.looped ||= counts.looped
        for (const finding of counts.findings) this.keepFirst(finding)
      })
    }
  }

  /** Adds a finding, unless an earlier one has its kind and property. */
  keepFirst(finding: LocatedFinding): void {
    this.#expansion.keepFirst(finding, this.findings)
  }

  /** The findings, the first one first. */
  get inOrder(): LocatedFinding[] {
    return this.findings.toSorted((a, b) => this.#expansion.compare(a, b))
  }

  /** A count over all levels, or over those before a depth. */
  sum(count: 'states' | 'transitions' | 'endStates' | 'pruned' | 'beyond' | 'alone', before = Infinity): number {
    return this.levels.slice(0, before).reduce((total, level) => total + level[count], 0)
  }
}
