import type { Field } from '../../model/field.ts'
import type { Memory, MemoryPort } from '../../model/memory.ts'

/**
 * Shows shared memory as it is to properties and reports, while no one runs: reads only.
 *
 * @param values raw values by field id
 * @param choose alternatives taken; a choice is refused without it
 * @param seen is told of every read
 */
function snapshotPort(values: ArrayLike<number>, choose?: () => number, seen?: (field: Field) => void): MemoryPort {
  const refuse = (): never => {
    throw new TypeError('a property changes what it looks at, or makes a choice')
  }
  return {
    actor: null,
    read: (field) => {
      seen?.(field)
      return (values[field.id] as number) >>> 0
    },
    write: refuse,
    writeHidden: refuse,
    touch: (alive, name) => {
      if (values[alive.id] === 0)
        throw new TypeError(`${name} is read by a property although it is not allocated; ask pool.isAllocated first`)
    },
    choose: choose ?? refuse,
    ghost: (body) => body(),
    violated: ({ message }) => {
      throw new TypeError(message)
    },
    fault: ({ message }) => {
      throw new TypeError(message)
    },
  }
}

/** Runs `body` with a machine's memory showing some values. */
export function within<T>(
  memory: Memory,
  values: ArrayLike<number>,
  body: () => T,
  choose?: () => number,
  seen?: (field: Field) => void,
): T {
  const before = memory.port
  memory.port = snapshotPort(values, choose, seen)
  try {
    return body()
  } finally {
    memory.port = before
  }
}
