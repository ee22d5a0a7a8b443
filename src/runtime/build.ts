import { Machine } from '../model/machine.ts'
import { MachineParts } from '../model/machine-parts.ts'
import { type LoadedModel, setupRefusal } from './load.ts'
import { Refusal } from '../source/refusal.ts'

/** Most actors a machine may have: sets of them are 32-bit masks. */
const MAX_ACTORS = 30

/**
 * Runs a model's `machine()`.
 * @throws Refusal when it throws, makes no actors or too many, or builds another machine each time
 */
export function buildMachine(
  { model, sourceMap, bundle: { file } }: LoadedModel,
  params: Readonly<Record<string, unknown>>,
): MachineParts {
  const [machine, twin] = [new MachineParts(), new MachineParts()]
  try {
    model.build(new Machine(twin), params)
    model.build(new Machine(machine), params)
    machine.complete()
    if (describeMachine(twin) !== describeMachine(machine)) throw unsteady(file)
    const { length } = machine.actors
    if (length === 0) throw new Refusal('machine() makes no actors: use m.cpus or m.thread', null)
    if (length > MAX_ACTORS)
      throw new Refusal(`machine() makes ${length} actors; at most ${MAX_ACTORS} are supported`, null)
    return machine
  } catch (error) {
    throw setupRefusal(error, sourceMap, file)
  }
}

/** Fields, initial values and actors of a machine, as it must come out each time it is built. */
export function describeMachine({ memory, actors }: MachineParts): string {
  return JSON.stringify([
    memory.fields.map(({ name, id }) => [name, memory.initial[id]]),
    actors.map(({ name }) => name),
  ])
}

/** The refusal of a model whose machine is not the same each time it is built. */
export function unsteady(file: string): Refusal {
  return new Refusal(
    'machine() builds another machine each time it runs: it must not depend on the time, random numbers or other outside state',
    { file, line: 1, column: 1 },
  )
}
