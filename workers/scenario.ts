import { type GateAnswer, type GateTask, TASK_WORD } from '../src/session/gate/task.ts'
import { explore } from '../src/session/explore.ts'
import { quietEnvironment } from '../src/session/environment.ts'
import { UsageError } from '../src/session/usage-error.ts'
import { load } from '../src/runtime/load.ts'
import { Refusal } from '../src/source/refusal.ts'
import { threadData } from '../src/threads/threads.ts'

/** Milliseconds between two looks at whether the search is to end. */
const LOOKING = 50

threadData<null>()

/** One scenario, explored on this thread. */
export default async function run({ bundle, request, cwd, control }: GateTask): Promise<GateAnswer> {
  const words = new Int32Array(control)
  const interrupt = new AbortController()
  const looking = setInterval(() => {
    if (Atomics.load(words, TASK_WORD.abort) !== 0) interrupt.abort()
  }, LOOKING)
  const environment = quietEnvironment(cwd, {
    signal: interrupt.signal,
    onProgress: (progress) => {
      if ('states' in progress) Atomics.store(words, TASK_WORD.states, progress.states)
    },
  })
  try {
    return {
      report: await explore(load(bundle), request, environment),
    }
  } catch (error) {
    if (error instanceof Refusal) return { problem: error.line }
    if (error instanceof UsageError) return { problem: error.message }
    throw error
  } finally {
    clearInterval(looking)
  }
}
