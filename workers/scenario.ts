import { quietEnvironment } from '../src/session/environment.ts'
import { explore } from '../src/session/explore.ts'
import { type IsolatedAnswer, type IsolatedTask, TASK, noteProgress } from '../src/session/isolated.ts'
import { load } from '../src/runtime/load.ts'
import { Refusal } from '../src/source/refusal.ts'
import { UsageError } from '../src/source/usage-error.ts'
import { threadData } from '../src/threads/threads.ts'

/** Milliseconds between two looks at whether the search is to end. */
const LOOK_EVERY_MS = 50

threadData<null>()

/** One scenario, explored on this thread. */
export default async function run({ bundle, request, cwd, control }: IsolatedTask): Promise<IsolatedAnswer> {
  const numbers = new Float64Array(control)
  const interrupt = new AbortController()
  const look = (): void => {
    numbers[TASK.turns] = (numbers[TASK.turns] as number) + 1
    if (numbers[TASK.abort] !== 0) interrupt.abort()
  }
  look()
  const looking = setInterval(look, LOOK_EVERY_MS)
  const environment = quietEnvironment(cwd, {
    signal: interrupt.signal,
    onProgress: (progress) => {
      if ('states' in progress) noteProgress(numbers, progress)
    },
  })
  try {
    return { report: await explore(load(bundle), request, environment) }
  } catch (error) {
    if (error instanceof Refusal) return { problem: error.line }
    if (error instanceof UsageError) return { problem: error.message }
    throw error
  } finally {
    clearInterval(looking)
  }
}
