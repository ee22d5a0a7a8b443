import type { ObjectTable } from '../../runtime/freeze.ts'
import type { Activation } from '../../runtime/runtime.ts'
import type { Switches } from '../../semantics/switches.ts'
import type { LocalState } from '../state/local-form.ts'

/** An activation as it was decoded. */
interface Stored {
  readonly activation: Activation
  readonly n: number
  readonly p: number
  readonly site: number
  readonly slots: unknown[]
}

/** A call stack that was decoded once and is set back for every step from there: where steps are executed each time, decoding would cost as much as they do. */
export class Standing {
  /** What the actor had switched off. */
  readonly switches: Switches
  readonly #stored: readonly Stored[]

  private constructor(stored: readonly Stored[], switches: Switches) {
    this.#stored = stored
    this.switches = switches
  }

  /**
   * Of a local state just decoded; null where running from it leaves something changed that is not set back: objects made
   * in a step, and completions that wait for a finally block.
   */
  static of(state: LocalState & { readonly switches: Switches }, objects: ObjectTable): Standing | null {
    if (state.at !== 'operand') return null
    const isKept = (value: unknown): boolean =>
      (typeof value !== 'object' && typeof value !== 'function') || value === null || objects.indexOf(value) >= 0
    const stored = state.stack.map((activation): Stored => {
      const { n, p, site, slots } = activation
      return { activation, n, p, site, slots }
    })
    const isSimple = stored.every(
      ({ activation, slots }) => !activation.tries.some(([, , , , type]) => type) && slots.every(isKept),
    )
    return isSimple ? new Standing(stored, state.switches) : null
  }

  /** The call stack as it was decoded. */
  restore(): Activation[] {
    return this.#stored.map(({ activation, n, p, site, slots }) => {
      activation.n = n
      activation.p = p
      activation.site = site
      activation.v = undefined
      activation.delegate = undefined
      activation.result = undefined
      activation.slots = slots
      for (const entry of activation.tries) if (entry.length > 4) entry.length = 4 // no completion waited for a finally block
      return activation
    })
  }
}
