import type { Bundle } from '../bundle/bundle.ts'
import type { Progress } from '../explore/search/search-result.ts'
import type { Scenario } from '../model/model.ts'
import type { Report } from '../report/report.ts'
import { wordsOf } from '../source/thrown.ts'
import type { Threads } from '../threads/threads.ts'
import type { ExploreRequest } from './request.ts'

/** One search for a thread of its own: all that it needs, and where it says how far it is. */
export interface IsolatedTask {
  readonly bundle: Bundle
  readonly request: ExploreRequest
  readonly cwd: string
  /** Float64 by {@link TASK}: whether the search is to end, how far it is, and whether its thread still turns. */
  readonly control: SharedArrayBuffer
}

/** A model to be loaded on a thread of its own: only what its scenarios say is wanted. */
export interface OutlineTask {
  readonly outline: Bundle
  readonly control: SharedArrayBuffer
}

/** Scenarios by name, or in one line why there are none. */
export type OutlineAnswer = { readonly scenarios: readonly (readonly [string, Scenario<never>])[] } | Problem

/** In one line, why there is no answer. */
interface Problem {
  readonly problem: string
}

/** Numbers of a task's control. */
export const TASK = {
  abort: 0,
  states: 1,
  transitions: 2,
  depth: 3,
  frontier: 4,
  bytes: 5,
  seconds: 6,
  turns: 7,
  numbers: 8,
} as const

/** What a thread answers. */
export type IsolatedAnswer = { readonly report: Report } | Problem

/** Milliseconds that the thread of a search that is to end may be kept busy, by code of the model, before it is ended. */
const MAX_BUSY_MS = 5000

/** Who is told of a search on another thread, and can end it. */
export interface IsolatedListener {
  readonly cwd: string
  readonly signal: AbortSignal
  /** Called when the search begins, with a function that says how far it is. */
  started(progress: () => Progress): void
}

/**
 * Explores on a thread of its own, so that code of the model can neither hang, end, print into nor change the process.
 *
 * @returns the report; or, in one line, why there is none
 */
export async function exploreIsolated(
  threads: Threads<IsolatedTask>,
  bundle: Bundle,
  request: ExploreRequest,
  { cwd, signal, started }: IsolatedListener,
): Promise<IsolatedAnswer> {
  return watched(signal, request.limits.time, (control, stuck) => {
    started(() => progressOf(new Float64Array(control)))
    return threads.run({ bundle, request, cwd, control }, { signal: stuck }) as Promise<IsolatedAnswer>
  })
}

/**
 * Loads a model on a thread of its own, for what its scenarios say.
 *
 * @param seconds that it may take before it is ended; Infinity: any
 */
export async function outlineIsolated(
  threads: Threads<OutlineTask>,
  outline: Bundle,
  signal: AbortSignal,
  seconds: number,
): Promise<OutlineAnswer> {
  return watched(signal, seconds, (control, stuck) => {
    return threads.run({ outline, control }, { signal: stuck }) as Promise<OutlineAnswer>
  })
}

/**
 * Waits for a task on a thread, which is asked to end when `signal` is aborted, and is ended if it does not answer then,
 * or after its time.
 */
async function watched<T>(
  signal: AbortSignal,
  seconds: number,
  run: (control: SharedArrayBuffer, stuck: AbortSignal) => Promise<T>,
): Promise<T | Problem> {
  const control = new SharedArrayBuffer(TASK.numbers * 8)
  const numbers = new Float64Array(control)
  const stuck = new AbortController()
  const abort = (): void => void (numbers[TASK.abort] = 1)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  const end = performance.now() + seconds * 1000
  const watch = new BusyWatch(numbers, stuck, () => signal.aborted || performance.now() > end)
  try {
    return await run(control, stuck.signal)
  } catch (error) {
    if (stuck.signal.aborted) return { problem: 'code of the model does not come back: ended without a result' }
    const [first] = wordsOf(error).message.split('\n')
    return { problem: `the thread that explored it ended: ${first}; nothing is known about the model` }
  } finally {
    signal.removeEventListener('abort', abort)
    watch.end()
  }
}

/** Ends a thread that is to come to its end and does not turn: it no longer looks at what it is told. */
class BusyWatch {
  readonly #timer: NodeJS.Timeout
  #turns = 0

  constructor(numbers: Float64Array, stuck: AbortController, isOver: () => boolean) {
    this.#timer = setInterval(() => {
      const turns = numbers[TASK.turns] as number
      if (isOver() && turns > 0 && turns === this.#turns) stuck.abort()
      this.#turns = turns
    }, MAX_BUSY_MS)
  }

  end(): void {
    clearInterval(this.#timer)
  }
}

function progressOf(numbers: Float64Array): Progress {
  const at = (which: keyof Progress): number => numbers[TASK[which]] as number
  return {
    states: at('states'),
    transitions: at('transitions'),
    depth: at('depth'),
    frontier: at('frontier'),
    bytes: at('bytes'),
    seconds: at('seconds'),
  }
}

/** On the thread: notes how far the search is. */
export function noteProgress(numbers: Float64Array, progress: Progress): void {
  for (const [name, value] of Object.entries(progress)) numbers[TASK[name as keyof Progress]] = value as number
}
