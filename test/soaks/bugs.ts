/** A bug to be planted in the built files. */
export interface Bug {
  readonly name: string
  /** The test file that notices it; without one, the judge does. */
  readonly test?: string
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[]
}

/** Bugs that the judge has to find (docs/soundness.md, "Planted bugs"). */
export const BUGS: readonly Bug[] = [
  {
    name: 'a missed dependence: a read and a later write of a field commute',
    edits: [
      {
        file: 'src/explore/step/accesses.js',
        from: 'return meet(a.writes, b.writes) || meet(a.writes, b.reads) || meet(a.reads, b.writes);',
        to: 'return meet(a.writes, b.writes) || meet(a.writes, b.reads);',
      },
    ],
  },
  {
    name: 'partial order: steps that close a loop are taken alone',
    edits: [
      {
        file: 'src/explore/reductions/persistent-sets.js',
        from: '(head & LOOPED) !== 0 && futures.returns(actor, next, local)',
        to: 'false',
      },
    ],
  },
  {
    name: 'partial order: no search after the first one',
    edits: [
      {
        file: 'src/explore/search/search.js',
        from: '!persistentSets || persistentSets.knownFacts === known',
        to: 'persistentSets !== undefined',
      },
    ],
  },
  {
    name: 'partial order: any guard that blocks hides what lies beyond, whoever keeps it so',
    edits: [{ file: 'src/explore/reductions/blocking-guards.js', from: '.includes(keeper)', to: '.length >= 0' }],
  },
  {
    name: 'dpor: sleeping steps are not woken by what they depend on',
    edits: [
      {
        file: 'src/explore/paths/dpor.js',
        from: 'actor !== branch.move.actor && !conflict(access, branch.move.access)',
        to: 'actor !== branch.move.actor',
      },
    ],
  },
  {
    name: 'a lost wakeup: who goes to sleep takes the place of who sleeps',
    edits: [
      {
        file: 'src/vm/wait-channel.js',
        from: 'this.#state.sleepers |= 1 << actor.id',
        to: 'this.#state.sleepers = 1 << actor.id',
      },
    ],
  },
  {
    name: 'liveness: what is read after one block falls through to the next is taken for dead',
    edits: [{ file: 'src/lower/liveness.js', from: 'if (falls && next)', to: 'if (falls && next && !falls)' }],
  },
  {
    name: 'liveness: a variable that one arm of an if writes is taken to be written in any case',
    test: 'lowering',
    edits: [{ file: 'src/lower/liveness.js', from: 'if (arms[1]?.has(name))', to: 'if (arms.length > 0)' }],
  },
  {
    name: 'states are told apart by ten bits of a hash only',
    edits: [
      {
        file: 'src/explore/store/state-store.js',
        from: 'if (k === words)\n                same[i] = 1;',
        to: 'same[i] = 1;',
      },
      {
        file: 'src/explore/store/state-hash.js',
        from: 'return part ^ (part >>> 14);',
        to: 'return (part ^ (part >>> 14)) & 0x3ff;',
      },
    ],
  },
  {
    name: 'symmetry: only the first field that names members is renamed',
    edits: [
      {
        file: 'src/explore/symmetry/symmetry.js',
        from: 'for (const { cell, places } of this.#naming) {',
        to: 'for (const { cell, places } of this.#naming.slice(0, 1)) {',
      },
    ],
  },
  {
    name: 'races: whether the other can still go on after the acquire is not looked at',
    edits: [
      {
        file: 'src/explore/successors/race.js',
        from: 'applyFirstWrites(this.#table.words, mine, this.#afterAcquire);',
        to: '',
      },
    ],
  },
  {
    name: 'plain accesses after a release share its step',
    edits: [
      {
        file: 'src/semantics/step-bounds.js',
        from: "if (primitiveClass !== 'acquire')",
        to: "if (primitiveClass === 'other')",
      },
    ],
  },
  {
    name: 'sleep sets: steps that conflict are taken to commute',
    edits: [{ file: 'src/explore/reductions/sleep-sets.js', from: 'this.#conflict(step, other))', to: 'false)' }],
  },
  {
    name: 'sleep sets: of two steps that commute each sleeps for the other',
    edits: [
      {
        file: 'src/explore/reductions/sleep-sets.js',
        from: 'end = isRanked ? actors.length : mover',
        to: 'end = actors.length',
      },
    ],
  },
  {
    name: 'hangs: a spin counts as movement',
    test: 'verdicts',
    edits: [
      {
        file: 'src/explore/table/leaf-maker.js',
        from: '(isStep && (!reads || local !== before || cycles) ? GOES : 0)',
        to: '(isStep ? GOES : 0)',
      },
    ],
  },
  {
    name: "symmetry: what is known of a successor's actors is not renamed",
    test: 'cases',
    edits: [
      {
        file: 'src/explore/hangs/sweep.js',
        from: '((bits >> successors.images[k * actors + actor]) & 1) << actor',
        to: '((bits >> actor) & 1) << actor',
      },
    ],
  },
  {
    name: 'races: only actors that come later are asked',
    edits: [{ file: 'src/explore/successors/race.js', from: 'if (p === q)', to: 'if (p.id >= q.id)' }],
  },
  {
    name: 'steps: nothing is executed twice when it is recorded',
    test: 'refusals',
    edits: [
      {
        file: 'src/explore/table/step-checks.js',
        from: 'count <= CHECKED_FIRST || count % RECHECK === 0',
        to: 'count < 0',
      },
    ],
  },
  {
    name: 'shared CPUs: a thread with preemption off is preempted',
    edits: [
      {
        file: 'src/semantics/dispatch.js',
        from: 'state.interruptsOff === 0 && state.preemptionOff === 0',
        to: 'state.interruptsOff === 0',
      },
    ],
  },
  {
    name: 'a published write shares its step',
    edits: [
      {
        file: 'src/semantics/step-bounds.js',
        from: "access === 'volatile' || access === 'event' || (access === 'published' && isWrite)",
        to: "access === 'volatile' || access === 'event'",
      },
    ],
  },
  {
    name: 'reader/writer spin lock: a writer that waits does not hold readers off',
    edits: [
      { file: 'src/vm/spin-lock.js', from: 'return writer === null && waiting === 0;', to: 'return writer === null;' },
    ],
  },
  {
    name: 'numbers of local states that do not fit into their bits are cut',
    test: 'search',
    edits: [
      {
        file: 'src/explore/successors/successors.js',
        from: "throw new PackingFullError('more local states than their bits can number');",
        to: 'words[leaf + LEAF.local] = local & mask;',
      },
    ],
  },
  {
    name: 'rest that cannot be reached is not told',
    test: 'verdicts',
    edits: [
      {
        file: 'src/explore/store/state-words.js',
        from: 'return actors.some((actor) => actor.mustFinish) ? REST_BIT : 0;',
        to: 'return 0;',
      },
    ],
  },
  {
    name: 'symmetry: no step is evaluated under another renaming',
    test: 'cases',
    edits: [
      {
        file: 'src/explore/table/step-checks.js',
        from: 'if (!guard)',
        to: 'if (guard !== undefined)',
      },
    ],
  },
  {
    name: 'hand-off lock: its owner may take it again',
    test: 'shared-cpus',
    edits: [
      {
        file: 'src/vm/handoff-lock.js',
        from: 'this.owner === actor && this.#queue.every((place) => place.actor !== actor)',
        to: 'this.owner === actor',
      },
    ],
  },
  {
    name: 'checkpoints keep what is known of the actors of the last level only',
    test: 'checkpoint',
    edits: [
      {
        file: 'src/explore/search/checkpoint/checkpoints.js',
        from: 'levels.slice(this.#saved.levels).flatMap(({ ranges }) => ranges)',
        to: 'levels.slice(-1).flatMap(({ ranges }) => ranges)',
      },
    ],
  },
  {
    name: 'wakeOne always wakes the first sleeper',
    test: 'cases',
    edits: [
      {
        file: 'src/vm/wait-channel.js',
        from: 'this.#m.pick(sleeping, `who is woken on ${this.name}`).id',
        to: 'sleeping[0].id',
      },
    ],
  },
  {
    name: 'interrupts: one is taken while another is handled',
    edits: [
      { file: 'src/vm/processor.js', from: 'if (handler)\n        return handler;\n    const off', to: 'const off' },
    ],
  },
  {
    name: 'interrupts: any that is due is taken when preemption is switched on',
    test: 'shared-cpus',
    edits: [{ file: 'src/semantics/dispatch.js', from: '.filter((actor) => !before.includes(actor))', to: '' }],
  },
  {
    name: 'interrupts: one that waited for them to be on comes when it likes',
    test: 'shared-cpus',
    edits: [{ file: 'src/semantics/dispatch.js', from: 'if (waited.length > 0)', to: 'if (waited.length > 9)' }],
  },
  {
    name: 'sleep lock: two readers upgrade at once',
    edits: [
      { file: 'src/vm/sleep-lock.js', from: 'if (state.upgrader !== null)', to: 'if (state.upgrader === actor)' },
    ],
  },
  {
    name: 'sleep lock: readers enter while another one upgrades',
    edits: [
      {
        file: 'src/vm/sleep-lock.js',
        from: 'state.recursive === actor || (state.writer === null && state.upgrader === null)',
        to: 'state.recursive === actor || state.writer === null',
      },
    ],
  },
  {
    name: 'reader/writer spin lock: a writer enters although readers are inside',
    edits: [
      { file: 'src/vm/spin-lock.js', from: 'return writer === null && readers === 0;', to: 'return writer === null;' },
    ],
  },
  {
    name: 'sleep in atomic: who reads under a reader/writer spin lock may sleep',
    edits: [
      {
        file: 'src/vm/spin-lock.js',
        from: 'readers: internal(holding(setOf(actors), { spins: true })),',
        to: 'readers: internal(holding(setOf(actors))),',
      },
    ],
  },
  {
    name: 'imbalance: interrupts and preemption that stay off are not seen',
    edits: [
      {
        file: 'src/explore/successors/balance.js',
        from: 'return { locks, interruptsOff, preemptionOff };',
        to: 'return locks.length > 0 ? { locks, interruptsOff, preemptionOff } : null;',
      },
    ],
  },
  {
    name: 'a daemon has to finish',
    edits: [{ file: 'src/model/actor.js', from: 'return !this.daemon && !this.endless;', to: 'return !this.endless;' }],
  },
  {
    name: 'a pool that may fail never does',
    test: 'verdicts',
    edits: [{ file: 'src/model/pool.js', from: 'if (this.#fallible && ', to: 'if (false && ' }],
  },
  {
    name: 'properties do not make the locks that they look at visible',
    edits: [
      {
        file: 'src/semantics/step-bounds.js',
        from: "return observed.has(target.name) ? 'other' : primitive.class;",
        to: 'return primitive.class;',
      },
    ],
  },
  {
    name: 'at rest: what daemons can still do is not looked at',
    edits: [
      {
        file: 'src/explore/search/expansion.js',
        from: 'if ((head & (OUTCOME | IDLE)) === STEP && !successors.staysAt(i, id, leaf))',
        to: 'if ((head & OUTCOME) === FAULT)',
      },
    ],
  },
  {
    name: 'labels before accesses: what was read before is not forgotten',
    test: 'stops',
    edits: [{ file: 'src/explore/step/step-stops.js', from: 'log.forget();', to: '' }],
  },
  {
    name: 'labels before accesses: a loop that has nothing else does not count as a loop',
    test: 'stops',
    edits: [
      {
        file: 'src/explore/step/executor.js',
        from: 'this.#system.runtime.looped ||= this.#system.runtime.circled;',
        to: '',
      },
    ],
  },
  {
    name: 'labels before accesses: the object of an assignment is evaluated after its value',
    test: 'lowering',
    edits: [{ file: 'src/lower/stops.js', from: '((isSimple && !isCopied) ||', to: '(isSimple ||' }],
  },
  {
    name: 'labels given up: a call stack is set back without its variables',
    test: 'step-table',
    edits: [{ file: 'src/explore/step/standing.js', from: 'activation.slots = slots;', to: '' }],
  },
  {
    name: 'kinds of steps: what is written does not tell them apart',
    test: 'reductions',
    edits: [
      {
        file: 'src/explore/table/step-kinds.js',
        from: 'for (const id of writes.keys())\n            events.push(id);',
        to: '',
      },
    ],
  },
  {
    name: 'm.within: steps sleep although states may lie beyond the bound',
    test: 'within',
    edits: [
      {
        file: 'src/explore/search/engine.js',
        from: 'hasBounds(machine) ? { ...tuning, sleepSets: false } : tuning',
        to: 'tuning',
      },
    ],
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
