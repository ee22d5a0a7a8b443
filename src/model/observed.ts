import { CpuStruct, ThreadStruct } from './actor.ts'
import type { Field } from './field.ts'
import type { Memory, MemoryPort } from './memory.ts'
import type { Property } from './property.ts'

/** What is looked at: memory, and properties of it. */
interface Observed {
  readonly memory: Memory
  readonly properties: readonly Property[]
}

/** The insides of locks: fields that only the operations of a lock touch, with the lock's name. */
export function lockFields({ memory }: Pick<Observed, 'memory'>): ReadonlyMap<Field, string> {
  const own: readonly string[] = [CpuStruct.name, ThreadStruct.name]
  return new Map(
    memory
      .structs()
      .flatMap(({ type, name, fields }) =>
        own.includes(type)
          ? []
          : fields.flatMap((field) => (field.access === 'internal' ? [[field, name] as const] : [])),
      ),
  )
}

/**
 * Names of the locks that properties look at in the initial state. Whether such a lock is held can be seen other than by
 * waiting for it, so that its operations must not share steps.
 */
export function observedLocks(machine: Observed): Set<string> {
  const names = lockFields(machine)
  const read = fieldsRead(machine)
  return new Set([...read].flatMap((field) => names.get(field) ?? []))
}

/** Evaluations of one property at most. */
const MAX_EVALUATIONS = 200

/**
 * Fields that properties read in the initial state, and in what it becomes when locks that they read are held: a property
 * may look at a second lock only where a first one is held. At rest no one is in the middle of a step.
 */
function fieldsRead(machine: Observed): Set<Field> {
  const { memory, properties } = machine
  const inside = lockFields(machine)
  const all = new Set<Field>()
  const before = memory.port
  try {
    for (const { form, holds } of properties) {
      if (form === 'at-rest') continue
      const queue: Map<number, number>[] = [new Map()]
      for (const [i, held] of queue.entries()) {
        if (i === MAX_EVALUATIONS) break
        const read = new Set<Field>()
        memory.port = recordingPort((id) => held.get(id) ?? (memory.initial[id] as number), read)
        attempt(holds)
        for (const field of read) {
          all.add(field)
          if (inside.has(field) && !held.has(field.id)) queue.push(new Map([...held, [field.id, 1]]))
        }
      }
    }
  } finally {
    memory.port = before
  }
  return all
}

function attempt(holds: () => unknown): void {
  try {
    holds()
  } catch {
    // the search evaluates the property too, and says what it throws
  }
}

function recordingPort(raw: (id: number) => number, read: Set<Field>): MemoryPort {
  const refuse = (): never => {
    throw new TypeError('a property changes what it looks at, or makes a choice')
  }
  return {
    actor: null,
    read: (field) => {
      read.add(field)
      return raw(field.id) >>> 0
    },
    write: refuse,
    writeHidden: refuse,
    touch: () => {},
    choose: refuse,
    ghost: (body) => body(),
    violated: refuse,
    fault: refuse,
  }
}
