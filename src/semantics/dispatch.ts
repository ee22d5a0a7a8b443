import { type Actor, type Cpu, CpuStruct, ThreadStruct } from '../model/actor.ts'
import { locationOf } from '../model/locations.ts'
import type { Instance, StructType } from '../model/struct.ts'

/** Where an actor may take its next step. */
export interface CpuChoice {
  /** CPUs it could run on, the one it has first; empty while it must wait. */
  readonly cpus: readonly Cpu[]
  /** Who keeps it from running. */
  readonly holders: readonly Actor[]
}

/** For a CPU of its own there is nothing to decide. */
const ALONE: CpuChoice = { cpus: [], holders: [] }

/** Whether a thread can be made to leave its CPU between two of its steps. */
function isPreemptible({ state }: Actor): boolean {
  return state !== null && state.interruptsOff === 0 && state.preemptionOff === 0
}

/** Whom a thread would have to wait for to get a CPU; no one when it may have it. */
function keeper(actor: Actor, cpu: Cpu): Actor | null {
  const { handler, running } = cpu.state as NonNullable<Cpu['state']>
  if (handler) return handler
  return running === null || running === actor || isPreemptible(running) ? null : running
}

/** Whether threads and handlers share the actor's CPU, so that it may have to wait for it. */
export function sharesCpu(actor: Actor): boolean {
  return actor.state !== null
}

function fieldsOf<T extends object>(
  type: StructType<T>,
  instance: Instance<T>,
): (readonly [key: string, id: number])[] {
  return (locationOf(instance)?.fields ?? []).map(({ id }, i) => [type.keys[i] as string, id] as const)
}

/** Ids of the fields that say who runs where: `moved` by getting or leaving a CPU, `all` looked at to decide it. */
export function schedulingFields(actors: readonly Actor[]): {
  readonly moved: ReadonlySet<number>
  readonly all: ReadonlySet<number>
} {
  const moved = new Set<number>()
  const all = new Set<number>()
  for (const { state, cpus } of actors) {
    const fields = [
      ...(state ? fieldsOf(ThreadStruct, state) : []),
      ...cpus.flatMap((cpu) => (cpu.state ? fieldsOf(CpuStruct, cpu.state) : [])),
    ]
    for (const [key, id] of fields) {
      all.add(id)
      if (key === 'running' || key === 'on') moved.add(id)
    }
  }
  return { moved, all }
}

/** Whether an actor is an interrupt handler running: it must get to its end. */
export function isHandling(actor: Actor): boolean {
  return actor.cpu.state?.handler === actor
}

/**
 * Makes a change that allows interrupts of a CPU again. If interrupts are pending, the CPU takes one of them (the search
 * tries each) before a thread of the CPU continues. An interrupt that could have been taken before may still come later.
 */
export function admitting(cpu: Cpu, change: () => void): void {
  const { state, handlers } = cpu
  const due = (): Actor[] => handlers.filter(({ isDue }) => isDue()).map(({ actor }) => actor)
  const before = due()
  change()
  if (!state || state.handler) return
  const waited = due().filter((actor) => !before.includes(actor))
  if (waited.length > 0) state.handler = cpu.pickInterrupt(waited)
}

/** The CPU that a thread has now, if it has one. */
export function cpuOf(actor: Actor): Cpu | null {
  const on = actor.state?.on ?? null
  return on?.state?.running === actor ? on : null
}

/**
 * Where a thread may take its next step: on the CPU it has, on one that is idle, or on one whose thread may be
 * preempted; nowhere while a handler is running there. An actor alone on its CPU, and a handler, never waits here.
 */
export function cpuChoice(actor: Actor): CpuChoice {
  if (!sharesCpu(actor)) return ALONE
  const mine = cpuOf(actor)
  if (mine !== null && (keeper(actor, mine) !== null || !isPreemptible(actor))) {
    const handler = keeper(actor, mine)
    return handler ? { cpus: [], holders: [handler] } : { cpus: [mine], holders: [] }
  }
  const free = actor.cpus.filter((cpu) => keeper(actor, cpu) === null)
  const holders = free.length > 0 ? [] : actor.cpus.map((cpu) => keeper(actor, cpu) as Actor)
  return { cpus: mine ? [mine, ...free.filter((cpu) => cpu !== mine)] : free, holders }
}

/** The thread gets a CPU: the thread that had it is preempted, and the CPU that it had before is idle. */
export function dispatch(actor: Actor, cpu: Cpu): void {
  const { state } = actor
  if (!state || !cpu.state) return
  const before = cpuOf(actor)
  if (before === cpu) return
  if (before?.state) before.state.running = null
  cpu.state.running = actor
  state.on = cpu
}

/** The thread gives its CPU up: it sleeps, or has finished. Whether it had one. */
export function leaveCpu(actor: Actor): boolean {
  const cpu = cpuOf(actor)
  if (!cpu?.state) return false
  cpu.state.running = null
  return true
}
