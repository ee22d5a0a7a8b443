import type { MessagePort } from 'node:worker_threads'

/** The part of Piscina that is used. */
export interface Threads<Task> {
  /** Executes a task on a thread that is free. */
  run(task: Task, options?: { readonly transferList?: readonly MessagePort[] }): Promise<unknown>
  /** Ends the threads, whatever they are at. */
  destroy(): Promise<void>
}

const REQUIRES_NO_MODULES = '--no-experimental-require-module'

/**
 * Starts worker threads, exactly as many as are asked for: a task that waited for a free thread would keep those waiting
 * that wait for it.
 *
 * Their entry is imported, not required: Node 20 aborts the whole process when a thread is ended while it requires a
 * module of the newer kind.
 *
 * @param entry path of the file that exports the task's function
 * @param data what all of them get when they start
 */
export async function startThreads<Task>(entry: URL, count: number, data: unknown): Promise<Threads<Task>> {
  const { Piscina } = await import('piscina')
  return new Piscina({
    filename: entry.href,
    minThreads: count,
    maxThreads: count,
    idleTimeout: Infinity,
    workerData: data,
    ...(process.allowedNodeEnvironmentFlags.has(REQUIRES_NO_MODULES) && { execArgv: [REQUIRES_NO_MODULES] }),
  }) as unknown as Threads<Task>
}
