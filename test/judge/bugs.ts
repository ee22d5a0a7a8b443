/** A bug to be planted in the built files. */
export interface Bug {
  readonly name: string
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[]
}

/** Bugs that the judge has to find (docs/soundness.md, "Planted bugs"). */
export const BUGS: readonly Bug[] = [
  {
    name: 'a missed dependence: a read and a later write of a field commute',
    edits: [{ file: 'src/explore/partial-order/accesses.js', from: 'return meet(a.writes, b.writes) || meet(a.writes, b.reads) || meet(a.reads, b.writes);', to: 'return meet(a.writes, b.writes) || meet(a.writes, b.reads);' }],
  },
  {
    name: 'partial order: steps that close a loop are taken alone',
    edits: [{ file: 'src/explore/partial-order/selection.js', from: '(head & LOOPED) !== 0 && futures.returns(actor, next, local)', to: 'false' }],
  },
  {
    name: 'partial order: no search after the first one',
    edits: [{ file: 'src/explore/search.js', from: '!selection || selection.learnt === known', to: 'selection !== undefined' }],
  },
  {
    name: 'partial order: any closed gate hides what lies beyond, whoever keeps it closed',
    edits: [{ file: 'src/explore/partial-order/gates.js', from: '.includes(keeper)', to: '.length >= 0' }],
  },
  {
    name: 'dpor: sleeping steps are not woken by what they depend on',
    edits: [{ file: 'src/explore/paths/dpor.js', from: 'actor !== branch.move.actor && !conflict(access, branch.move.access)', to: 'actor !== branch.move.actor' }],
  },
  {
    name: 'a lost wakeup: who goes to sleep takes the place of who sleeps',
    edits: [{ file: 'src/vm/wait-channel.js', from: 'this.#state.sleepers |= 1 << actor.id', to: 'this.#state.sleepers = 1 << actor.id' }],
  },
  {
    name: 'liveness: what is read after one block falls through to the next is taken for dead',
    edits: [{ file: 'src/compile/liveness.js', from: 'if (falls && next)', to: 'if (falls && next && !falls)' }],
  },
  {
    name: 'liveness: a variable that one arm of an if writes is taken to be written in any case',
    edits: [{ file: 'src/compile/liveness.js', from: 'if (arms[1]?.has(name))', to: 'if (arms.length > 0)' }],
  },
  {
    name: 'states are told apart by ten bits of a hash only',
    edits: [
      { file: 'src/explore/state-store.js', from: 'if (k === words)\n                same[i] = 1;', to: 'same[i] = 1;' },
      { file: 'src/explore/state-hash.js', from: 'return part ^ (part >>> 14);', to: 'return (part ^ (part >>> 14)) & 0x3ff;' },
    ],
  },
  {
    name: 'symmetry: only the first field that names members is renamed',
    edits: [{ file: 'src/explore/symmetry/symmetry.js', from: 'for (const { cell, places } of this.#naming) {', to: 'for (const { cell, places } of this.#naming.slice(0, 1)) {' }],
  },
  {
    name: 'races: whether the other can still go on after the acquire is not looked at',
    edits: [{ file: 'src/explore/race.js', from: 'applyFirstWrites(this.#table.words, mine, this.#afterAcquire);', to: '' }],
  },
  {
    name: 'plain accesses after a release share its step',
    edits: [{ file: 'src/model/step-bounds.js', from: "if (primitiveClass !== 'acquire')", to: "if (primitiveClass === 'other')" }],
  },
  {
    name: 'sleep sets: steps that conflict are taken to commute',
    edits: [{ file: 'src/explore/sleep-sets.js', from: ' && this.#conflict(step, other))', to: ' && false)' }],
  },
  {
    name: 'sleep sets: of two steps that commute each sleeps for the other',
    edits: [{ file: 'src/explore/sleep-sets.js', from: 'end = isRanked ? actors.length : mover', to: 'end = actors.length' }],
  },
  {
    name: 'hangs: a spin counts as movement',
    edits: [{ file: 'src/explore/leaf-maker.js', from: '(isStep && (!reads || local !== before) ? GOES : 0)', to: '(isStep ? GOES : 0)' }],
  },
]

/**
 * The text of a file with a bug's edits in it.
 * @throws Error when what is to be edited is not there, once
 */
export function planted({ name, edits }: Bug, file: string, text: string): string {
  let changed = text
  for (const edit of edits) {
    if (edit.file !== file) continue
    if (changed.split(edit.from).length !== 2) throw new Error(`"${name}": ${file} does not hold once: ${edit.from}`)
    changed = changed.replace(edit.from, () => edit.to)
  }
  return changed
}
