import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Bytes in memory of a process that are no reason to look for what can be given back. */
const MODEST = 2 ** 29
/**
 * Bytes of addresses, in memory or not, that are no reason either. Linux starts no other program from a process that has
 * reserved more than the machine has ("spawn ENOMEM"), as ten finished searches have on a small one.
 */
const MODEST_RESERVED = 0.75 * totalmem()

/** Bytes of addresses that this process has taken; 0 where the system does not say. */
function reserved(): number {
  try {
    return Number(/^VmSize:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? 0) * 1024
  } catch {
    return 0 // not Linux
  }
}

/**
 * Gives the shared memory of finished searches back to the system. The engine's own collector does not see how much
 * hangs on a few small objects, and would let hundreds of searches of one process pile up.
 */
export function release(): void {
  if (process.memoryUsage.rss() < MODEST && reserved() < MODEST_RESERVED) return
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}
