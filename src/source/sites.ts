/** What a site is: a `yield*` (point), a branch of the code, or a place the runtime may have to name. */
export type SiteKind = 'point' | 'branch' | 'place'

/** One numbered place of a source file. */
export type Site = readonly [line: number, column: number, kind: SiteKind]

/** Something of a syntax tree that may know where it starts: lines from 1, columns from 0. */
interface Located {
  readonly loc?: { readonly start: { readonly line: number; readonly column: number } } | null | undefined
}

/** The numbered places of one file, in order of discovery; code refers to them by offset. */
export class SiteTable {
  readonly sites: Site[] = []

  /** Numbers a node's place and returns its offset in the file. */
  add(node: Located, kind: SiteKind): number {
    const start = node.loc?.start
    this.sites.push([start?.line ?? 0, (start?.column ?? -1) + 1, kind])
    return this.sites.length - 1
  }
}
