import { threadId } from 'node:worker_threads'
import { checks } from '../checks/index.ts'
import { Refusal } from '../src/source/refusal.ts'
import { engineFrom } from '../src/explore/search/engine.ts'
import { isExhaustion } from '../src/explore/search/worker-pool.ts'
import { AsymmetryError } from '../src/explore/symmetry/asymmetry.ts'
import { type ExplorerData, SearchWorker, type Task, type WorkerAnswer } from '../src/explore/search/search-worker.ts'
import { threadData } from '../src/threads/threads.ts'

const { recipe, control } = threadData<ExplorerData>()
let share: SearchWorker | null = null

/** One task of a search, executed on this thread's share of it. */
export default function explore(task: Task): WorkerAnswer {
  try {
    share ??= new SearchWorker(engineFrom(recipe, checks), control)
    return { ...share.run(task), thread: threadId }
  } catch (error) {
    if (error instanceof Refusal) return { refusal: { message: error.message, at: error.at } }
    if (error instanceof AsymmetryError)
      return { asymmetry: { set: error.set, isDeclared: error.isDeclared, reason: error.message, at: error.at } }
    if (isExhaustion(error)) return { exhausted: true }
    throw error
  }
}
