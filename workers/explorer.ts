import { workerData } from 'node:worker_threads'
import { checks } from '../checks/index.ts'
import { Refusal, type SourcePlace } from '../src/compile/refusal.ts'
import { type EngineRecipe, engineFrom } from '../src/explore/engine.ts'
import { InternerFullError } from '../src/explore/interner.ts'
import { type ExpandResult, Share, type Task } from '../src/explore/share.ts'

/** What Piscina hands to every explorer thread. */
export interface ExplorerData {
  readonly recipe: EngineRecipe
  readonly control: SharedArrayBuffer
}

/** What an explorer thread answers to a task. */
export type WorkerAnswer =
  | { readonly result: ExpandResult | boolean }
  | { readonly refusal: { readonly message: string; readonly at: SourcePlace | null } }
  | { readonly exhausted: true }

const { recipe, control } = workerData as ExplorerData
const share = new Share(engineFrom(recipe, checks), control)

/** One task of a search, executed on this thread's share of it. Errors with fields of their own do not cross threads whole: they are returned. */
export default function explore(task: Task): WorkerAnswer {
  try {
    return { result: share.run(task) }
  } catch (error) {
    if (error instanceof Refusal) return { refusal: { message: error.message, at: error.at } }
    if (error instanceof InternerFullError) return { exhausted: true }
    throw error
  }
}
