import { quietEnvironment } from '../src/session/environment.ts'
import { explore } from '../src/session/explore.ts'
import {
  type IsolatedAnswer,
  type IsolatedTask,
  type OutlineAnswer,
  type OutlineTask,
  TASK,
  noteProgress,
} from '../src/session/isolated.ts'
import { load } from '../src/runtime/load.ts'
import { Refusal } from '../src/source/refusal.ts'
import { UsageError } from '../src/source/usage-error.ts'
import { threadData } from '../src/threads/threads.ts'

/** Milliseconds between two looks at whether the search is to end. */
const LOOK_EVERY_MS = 50

threadData<null>()

/** One scenario explored, or one model loaded, on this thread. */
export default async function run(task: IsolatedTask | OutlineTask): Promise<IsolatedAnswer | OutlineAnswer> {
  const numbers = new Float64Array(task.control)
  const interrupt = new AbortController()
  const look = (): void => {
    numbers[TASK.turns] = (numbers[TASK.turns] as number) + 1
    if (numbers[TASK.abort] !== 0) interrupt.abort()
  }
  look()
  const looking = setInterval(look, LOOK_EVERY_MS)
  try {
    return 'outline' in task ? outlineOf(task) : { report: await exploreHere(task, numbers, interrupt.signal) }
  } catch (error) {
    if (error instanceof Refusal) return { problem: error.line }
    if (error instanceof UsageError) return { problem: error.message }
    throw error
  } finally {
    clearInterval(looking)
  }
}

/** Scenarios as plain data: what an author put there beside is left out. */
function outlineOf({ outline }: OutlineTask): OutlineAnswer {
  const { scenarios } = load(outline).model
  return { scenarios: JSON.parse(JSON.stringify([...scenarios])) as [string, never][] }
}

function exploreHere(
  { bundle, request, cwd }: IsolatedTask,
  numbers: Float64Array,
  signal: AbortSignal,
): ReturnType<typeof explore> {
  const environment = quietEnvironment(cwd, {
    signal,
    onProgress: (progress) => {
      if ('states' in progress) noteProgress(numbers, progress)
    },
  })
  return explore(load(bundle), request, environment)
}
