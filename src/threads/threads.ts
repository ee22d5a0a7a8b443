import { setTimeout as sleep } from 'node:timers/promises'
import { type MessagePort, workerData } from 'node:worker_threads'
import { workerEntry } from '../installation.ts'

/** The part of Piscina that is used. */
export interface Threads<Task> {
  /** Executes a task on a thread that is free; `signal` ends that thread, whatever it is at, and starts another. */
  run(
    task: Task,
    options?: { readonly transferList?: readonly MessagePort[]; readonly signal?: AbortSignal },
  ): Promise<unknown>
  /** Ends the threads, whatever they are at. */
  destroy(): Promise<void>
}

const REQUIRES_NO_MODULES = '--no-experimental-require-module'

/** Milliseconds that threads have to load their entry. */
const MAX_START_MS = 10_000
/** How often threads are started again that do not come to be. */
const MAX_ATTEMPTS = 3
/** Milliseconds between two looks at how many there are. */
const LOOK_EVERY_MS = 2

/** What a thread starts with. */
interface Start {
  readonly data: unknown
  /** Int32: how many threads have loaded their entry. */
  readonly begun: SharedArrayBuffer
}

/**
 * Starts worker threads, exactly as many as are asked for: a task that waited for a free thread would keep those waiting
 * that wait for it.
 *
 * Their entry is imported, not required: Node 20 aborts the whole process when a thread is ended while it requires a
 * module of the newer kind. Once in a long while it leaves threads that are started together idle forever, before they
 * have loaded anything: those are ended, and others started.
 *
 * @param name file in `workers` that exports the task's function, and takes {@link threadData}
 * @param data what all of them get when they start
 * @param patience milliseconds to wait for them; 0: they are not waited for
 */
export async function startThreads<Task>(
  name: string | URL,
  count: number,
  data: unknown,
  patience: number = MAX_START_MS,
): Promise<Threads<Task>> {
  const { Piscina } = await import('piscina')
  const entry = typeof name === 'string' ? workerEntry(name) : name
  for (let attempt = 1; ; attempt++) {
    const begun = new SharedArrayBuffer(4)
    const threads = new Piscina({
      filename: entry.href,
      minThreads: count,
      maxThreads: count,
      idleTimeout: Infinity,
      workerData: { data, begun } satisfies Start,
      ...(process.allowedNodeEnvironmentFlags.has(REQUIRES_NO_MODULES) && { execArgv: [REQUIRES_NO_MODULES] }),
    }) as unknown as Threads<Task>
    if (attempt === MAX_ATTEMPTS || (await haveBegun(new Int32Array(begun), count, patience))) return threads
    await threads.destroy()
  }
}

async function haveBegun(begun: Int32Array, count: number, patience: number): Promise<boolean> {
  if (patience === 0) return true
  const end = performance.now() + patience
  while (Atomics.load(begun, 0) < count) {
    if (performance.now() >= end) return false
    await sleep(LOOK_EVERY_MS)
  }
  return true
}

/** In a thread's entry: what the thread was started with. */
export function threadData<T>(): T {
  const { data, begun } = workerData as Start
  Atomics.add(new Int32Array(begun), 0, 1)
  return data as T
}
