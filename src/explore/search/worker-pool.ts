import { setImmediate as nextTurn } from 'node:timers/promises'
import { Refusal } from '../../source/refusal.ts'
import { type Threads, startThreads } from '../../threads/threads.ts'
import { InternerFullError } from '../state/interner.ts'
import { ArenaFullError } from '../table/arena.ts'
import type { Engine, EngineRecipe } from './engine.ts'
import { type Times, addTimes } from '../successors/profile.ts'
import {
  CONTROL,
  type Effort,
  type ExplorerData,
  SearchWorker,
  type Task,
  type TaskOutcome,
  type TaskResult,
  type WorkerAnswer,
  chunkOf,
  isVital,
} from './search-worker.ts'
import { rangesSize } from '../store/store-buffers.ts'
import { AsymmetryError } from '../symmetry/asymmetry.ts'

/** Milliseconds that this thread works at a time while others start. */
const STARTING_SLICE = 1

/**
 * Who does the work of a search: this thread, and as many others as make up the number of workers once there is enough
 * to do. Tasks are taken in chunks from one cursor, so that no one waits for a thread that is still starting.
 */
export class WorkerPool {
  readonly #share: SearchWorker
  readonly #recipe: EngineRecipe
  readonly #control: Int32Array<SharedArrayBuffer>
  readonly #workers: number
  readonly #started = performance.now()
  readonly #efforts = new Map<number, Effort>()
  /** Called when a thread is out of memory: the search is to end. */
  readonly #exhausted: () => void
  #pool: Threads<Task> | null = null
  #starting: Promise<void> | null = null
  #isReady = false
  #isClosed = false
  /** Why the other threads cannot be used. */
  #failure: Error | null = null
  #waited = 0

  constructor(
    engine: Engine,
    recipe: EngineRecipe,
    control: Int32Array<SharedArrayBuffer>,
    workers: number,
    exhausted: () => void,
  ) {
    this.#share = new SearchWorker(engine, control.buffer)
    this.#recipe = recipe
    this.#control = control
    this.#workers = workers
    this.#exhausted = exhausted
  }

  /** Executes a task for one slice of time on this thread, `isAlone` if on no other. */
  async once(task: Task, isAlone = true): Promise<readonly TaskOutcome[]> {
    if (this.#failure) throw this.#failure
    const result = this.#own(task, isAlone)
    await nextTurn()
    return result === null ? [] : [result]
  }

  /**
   * Executes a task to its end.
   *
   * @param isShared whether the other threads take part
   */
  async run(task: Exclude<Task, { kind: 'ready' }>, isShared: boolean): Promise<readonly TaskOutcome[]> {
    const ends: number[] = []
    const others =
      isShared && this.#hasThreads() ? Array.from({ length: this.#workers - 1 }, () => this.#other(task, ends)) : []
    for (const other of others) other.catch(() => {}) // looked at below, once this thread has done its part
    const found: TaskOutcome[] = []
    const total = rangesSize(task.ranges)
    do found.push(...(await this.once(task, others.length === 0)))
    while (
      Atomics.load(this.#control, CONTROL.cursor) * chunkOf(task) < total &&
      (isVital(task) || !this.#hasStopped())
    )
    ends.push(performance.now())
    const answers = await Promise.all(others)
    this.#waited += ends.reduce((sum, end) => sum + performance.now() - end, 0)
    return [...found, ...answers.flat()]
  }

  /** What all threads have done by now. */
  effort(): Effort {
    const none: Times = { code: 0, walk: 0, build: 0, probe: 0, check: 0, grow: 0, sweep: 0, wait: this.#waited }
    const sum = { times: none, asked: 0, built: 0, executed: 0 }
    for (const { times, asked, built, executed } of this.#efforts.values()) {
      sum.times = addTimes(sum.times, times)
      sum.asked += asked
      sum.built += built
      sum.executed += executed
    }
    return sum
  }

  /** Ends the other threads. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#pool?.destroy()
    await this.#starting
  }

  #hasStopped(): boolean {
    return Atomics.load(this.#control, CONTROL.full) !== 0 || Atomics.load(this.#control, CONTROL.abort) !== 0
  }

  #own(task: Task, isAlone: boolean): TaskOutcome | null {
    try {
      // threads start in a dozen turns of this thread's loop
      const isStarting = this.#starting !== null && !this.#isReady
      return this.#noted(
        0,
        this.#share.run(task, isAlone, performance.now() + (isStarting ? STARTING_SLICE : this.#recipe.tuning.slice)),
      )
    } catch (error) {
      if (!isExhaustion(error)) throw error
      this.#exhausted()
      return null
    }
  }

  /** A task on some other thread; one that runs out of memory is the end of a budget, any other death an error. */
  async #other(task: Task, ends: number[]): Promise<readonly TaskOutcome[]> {
    const answer = await this.#answer(task)
    ends.push(performance.now())
    if ('refusal' in answer) throw new Refusal(answer.refusal.message, answer.refusal.at)
    if ('asymmetry' in answer)
      throw new AsymmetryError(
        answer.asymmetry.set,
        answer.asymmetry.isDeclared,
        answer.asymmetry.reason,
        answer.asymmetry.at,
      )
    if ('result' in answer) return [this.#noted(answer.thread, answer)]
    this.#exhausted()
    return []
  }

  async #answer(task: Task): Promise<WorkerAnswer> {
    try {
      return (await (this.#pool as Threads<Task>).run(task)) as WorkerAnswer
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ERR_WORKER_OUT_OF_MEMORY') return { exhausted: true }
      this.#exhausted()
      throw new Refusal(`a worker thread died: ${message.split('\n')[0]}; nothing is known about the model`, null)
    }
  }

  #noted(thread: number, { result, effort }: TaskResult): TaskOutcome {
    this.#efforts.set(thread, effort)
    return result
  }

  /** Whether the other threads are there; they are started once the work is worth it, and not waited for. */
  #hasThreads(): boolean {
    if (this.#failure) throw this.#failure
    const isWorthIt = this.#workers > 1 && performance.now() - this.#started >= this.#recipe.tuning.worthThreads
    if (isWorthIt) this.#starting ??= this.#startThreads()
    return this.#isReady
  }

  async #startThreads(): Promise<void> {
    const data: ExplorerData = { recipe: this.#recipe, control: this.#control.buffer }
    const threads = this.#workers - 1
    this.#pool = await startThreads<Task>('explorer', threads, data)
    // a search may be over before they are there
    if (this.#isClosed) return this.#pool.destroy()
    try {
      await Promise.all(Array.from({ length: threads }, () => this.#other({ kind: 'ready' }, [])))
      this.#isReady = true
    } catch (error) {
      this.#failure ??= error as Error
    }
  }
}

/** Whether an error says that a budget of shared memory is used up. */
export function isExhaustion(error: unknown): boolean {
  return error instanceof InternerFullError || error instanceof ArenaFullError
}
