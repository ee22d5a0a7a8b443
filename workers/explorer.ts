import { workerData } from 'node:worker_threads'
import { checks } from '../checks/index.ts'
import { Refusal } from '../src/compile/refusal.ts'
import { engineFrom } from '../src/explore/engine.ts'
import { InternerFullError } from '../src/explore/interner.ts'
import { type ExplorerData, Share, type Task, type WorkerAnswer } from '../src/explore/share.ts'

const { recipe, control } = workerData as ExplorerData
let share: Share | null = null

/** One task of a search, executed on this thread's share of it. */
export default function explore(task: Task): WorkerAnswer {
  try {
    share ??= new Share(engineFrom(recipe, checks), control)
    return { result: share.run(task) }
  } catch (error) {
    if (error instanceof Refusal) return { refusal: { message: error.message, at: error.at } }
    if (error instanceof InternerFullError) return { exhausted: true }
    throw error
  }
}
