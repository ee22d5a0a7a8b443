import { type Bundle, bundle } from '../../bundle/bundle.ts'
import type { Scenario } from '../../model/model.ts'
import { Refusal } from '../../source/refusal.ts'
import { type Threads, startThreads } from '../../threads/threads.ts'
import type { Environment } from '../environment.ts'
import { type OutlineTask, outlineIsolated } from '../isolated.ts'

/** A model as the gate plans with it: its text, and what its scenarios say. */
export interface Outline {
  readonly bundle: Bundle
  readonly scenarios: ReadonlyMap<string, Scenario<never>>
}

/** A model that cannot be loaded, and why, in one line. */
export interface Unloadable {
  readonly file: string
  readonly problem: string
}

/**
 * Loads models on a thread of their own: their code can neither hang nor end the process.
 *
 * @param seconds for all of them; Infinity: any time
 */
export async function outlinesOf(
  files: readonly string[],
  environment: Pick<Environment, 'cwd' | 'cache' | 'signal'>,
  seconds: number,
): Promise<(Outline | Unloadable)[]> {
  const found: (Outline | Unloadable)[] = []
  const end = performance.now() / 1000 + seconds
  const threads = await startThreads<OutlineTask>('scenario', 1, null)
  try {
    for (const file of files)
      found.push(await outlineOf(threads, file, environment, Math.max(0.001, end - performance.now() / 1000)))
    return found
  } finally {
    await threads.destroy()
  }
}

async function outlineOf(
  threads: Threads<OutlineTask>,
  file: string,
  { cwd, cache, signal }: Pick<Environment, 'cwd' | 'cache' | 'signal'>,
  seconds: number,
): Promise<Outline | Unloadable> {
  try {
    const text = await bundle(file, cwd, cache)
    const answer = await outlineIsolated(threads, text, signal, seconds)
    return 'problem' in answer
      ? { file, problem: answer.problem }
      : { bundle: text, scenarios: new Map(answer.scenarios) }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { file, problem: error.line }
  }
}
