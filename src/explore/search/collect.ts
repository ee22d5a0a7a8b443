import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Bytes of a process that are no reason to look for what can be given back. */
const MODEST = 2 ** 29

/**
 * Gives the shared memory of finished searches back to the system. The engine's own collector does not see how much
 * hangs on a few small objects, and would let hundreds of searches of one process pile up.
 */
export function release(): void {
  if (process.memoryUsage.rss() < MODEST) return
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}
