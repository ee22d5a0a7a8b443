import { type GateAnswer, type GateTask, TASK_WORD } from '../src/cli/gate-task.ts'
import { explore } from '../src/cli/session.ts'
import { silentStreams } from '../src/cli/streams.ts'
import { UsageError } from '../src/cli/usage-error.ts'
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
  const streams = silentStreams(cwd, interrupt.signal)
  try {
    return {
      report: await explore(load(bundle), request, streams, ({ states }) =>
        Atomics.store(words, TASK_WORD.states, states),
      ),
    }
  } catch (error) {
    if (error instanceof Refusal) return { problem: error.line }
    if (error instanceof UsageError) return { problem: error.message }
    throw error
  } finally {
    clearInterval(looking)
  }
}
