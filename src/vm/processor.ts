import {
  type Actor,
  admitting,
  type Cpu,
  type CpuState,
  type Instance,
  type Machine,
  Operation,
  type Primitive,
  type Program,
  type SyncObject,
  type ThreadState,
  event,
  struct,
  u,
} from 'vmcheck'
import { checkOptions } from './options.ts'

type Switch = 'interrupts' | 'preemption'

const COUNTERS: Readonly<Record<Switch, keyof ThreadState & `${string}Off`>> = {
  interrupts: 'interruptsOff',
  preemption: 'preemptionOff',
}

/** Switches something off once more. Of a thread alone on its CPU, and of a handler, which nothing interrupts, it is only remembered. */
function off(what: Switch): Primitive['perform'] {
  return (_target, { state, cpu }) => {
    if (state) state[COUNTERS[what]] += 1
    else cpu.switched(what, 1)
  }
}

/** Undoes that; an interrupt that has been waiting for it is taken before the thread continues. */
function on(what: Switch): Primitive['perform'] {
  return (_target, { state, cpu, here }) => {
    if (state) {
      admitting(here, () => {
        state[COUNTERS[what]] -= 1
      })
    } else cpu.switched(what, -1)
  }
}

const OPERATIONS: Readonly<Record<string, Primitive>> = {
  disableInterrupts: { class: 'acquire', perform: off('interrupts') },
  enableInterrupts: { class: 'release', perform: on('interrupts') },
  disablePreemption: { class: 'acquire', perform: off('preemption') },
  enablePreemption: { class: 'release', perform: on('preemption') },
  currentCpu: { class: 'other', perform: (_target, actor) => actor.here },
}

/** The CPU that a thread runs on, whichever that is. */
const PROCESSOR: SyncObject = { name: 'CPU', operations: OPERATIONS as Readonly<Record<string, Primitive<never>>> }

/**
 * Interrupts stay pending on the thread's CPU, and no other thread gets it, until {@link enableInterrupts}; nests up to 3 deep.
 *
 * @example
 * m.thread(function* brief() {
 *   yield* disableInterrupts()
 *   yield* enableInterrupts()
 * }, { on: m.cpu() })
 */
export function disableInterrupts(): Operation<void> {
  return new Operation(PROCESSOR, 'disableInterrupts')
}

/** Undoes one {@link disableInterrupts}; an interrupt that came meanwhile is taken before the thread continues. */
export function enableInterrupts(): Operation<void> {
  return new Operation(PROCESSOR, 'enableInterrupts')
}

/**
 * No other thread gets the CPU until {@link enablePreemption}; interrupt handlers run.
 *
 * @example
 * m.thread(function* brief() {
 *   yield* disablePreemption()
 *   yield* enablePreemption()
 * }, { on: m.cpu() })
 */
export function disablePreemption(): Operation<void> {
  return new Operation(PROCESSOR, 'disablePreemption')
}

/** Undoes one {@link disablePreemption}. */
export function enablePreemption(): Operation<void> {
  return new Operation(PROCESSOR, 'enablePreemption')
}

/**
 * The CPU that the thread runs on now: another one later, unless it cannot be preempted.
 *
 * @example
 * m.thread(function* where() {
 *   const cpu = yield* currentCpu()
 *   m.assert(cpu === m.self.here, 'it has not moved')
 * }, { on: m.cpu() })
 */
export function currentCpu(): Operation<Cpu> {
  return new Operation(PROCESSOR, 'currentCpu')
}

/**
 * Inside an effect: the CPU that the thread runs on in this step.
 * @throws Error in a guard: only a step that is taken has a CPU
 */
export function thisCpu(m: Machine): Cpu {
  if (m.isGuarding) throw new Error('thisCpu(m) in a guard: a thread that waits has no CPU; ask in the effect')
  return m.self.here
}

/**
 * An interrupt line: a bit a CPU that says an interrupt is pending there.
 *
 * @example
 * const cpu = m.cpu()
 * const line = new InterruptLine(m, 'timer')
 * line.handle(cpu, function* tick() {
 *   yield* pause()
 * })
 * m.thread(function* sender() {
 *   yield* line.send(cpu)
 * })
 */
export class InterruptLine implements SyncObject {
  /** Its name, in traces and messages. */
  readonly name: string
  /** Its operations, by name. */
  readonly operations: Readonly<Record<string, Primitive<never>>> = LINE as Readonly<Record<string, Primitive<never>>>
  readonly #m: Machine
  /** Inside its operations: see the constructor. */
  readonly isDeferred: boolean
  readonly #state: Instance<{ pending: number }>

  /** @param options `deferred`: what an interrupt asks for is done only once preemption is on again (by a kernel that does it where it would reschedule) */
  constructor(m: Machine, name: string, options: { readonly deferred?: boolean } = {}) {
    checkOptions(`interrupt line ${name}`, options, ['deferred'])
    this.name = name
    this.#m = m
    this.isDeferred = options.deferred ?? false
    this.#state = m.struct(LineStruct, name)
  }

  /** Makes `cpu`, which has to come from `m.cpu()`, run `body` for each interrupt it gets; one that is pending already is the same one. */
  handle(cpu: Cpu, body: () => Program): Actor {
    return this.#m.handler(
      cpu,
      interruptLoop(this, cpu, body),
      () => this.isPending(cpu) && masking(cpu.state as CpuState, this.isDeferred) === null,
    )
  }

  /** Sends an interrupt to `cpu`. */
  send(cpu: Cpu): Operation<void> {
    return new Operation(this, 'send', [cpu])
  }

  /** Inside an effect: sends an interrupt to `cpu`. */
  raise(cpu: Cpu): void {
    this.#state.pending |= 1 << cpu.index
  }

  /** Inside an effect or property: whether an interrupt is pending on `cpu`. */
  isPending(cpu: Cpu): boolean {
    return ((this.#state.pending >> cpu.index) & 1) === 1
  }

  /** Inside its operations: the interrupt of `cpu` is being handled. */
  clear(cpu: Cpu): void {
    this.#state.pending &= ~(1 << cpu.index)
  }
}

function interruptLoop(line: InterruptLine, cpu: Cpu, body: () => Program): () => Program {
  return function* interrupt() {
    for (;;) {
      yield* new Operation<void>(line, 'take', [cpu])
      yield* body()
      yield* new Operation<void>(line, 'end', [cpu])
    }
  }
}

const LineStruct = struct<{ pending: number }>('line', { pending: event(u(30)) })

/** Who keeps an interrupt of a CPU from being handled: with `deferred`, also a thread that has preemption off. */
function masking({ handler, running }: CpuState, isDeferred: boolean): Actor | null {
  if (handler) return handler
  const off = running?.state
    ? running.state.interruptsOff > 0 || (isDeferred && running.state.preemptionOff > 0)
    : false
  return off ? running : null
}

const LINE: Readonly<Record<string, Primitive<InterruptLine>>> = {
  send: {
    class: 'other',
    perform: (line, _actor, [cpu]) => line.raise(cpu as Cpu),
    detail: ([cpu]) => `to ${(cpu as Cpu).name}`,
  },
  take: {
    class: 'other',
    enabled: (line, actor, [cpu]) =>
      (cpu as Cpu).state?.handler === actor ||
      (line.isPending(cpu as Cpu) && masking((cpu as Cpu).state as CpuState, line.isDeferred) === null),
    perform: (line, actor, [cpu]) => {
      const { state } = cpu as Cpu
      line.clear(cpu as Cpu)
      if (state) state.handler = actor
    },
    holders: (line, _actor, [cpu]) => {
      const mask = masking((cpu as Cpu).state as CpuState, line.isDeferred)
      return mask && line.isPending(cpu as Cpu) ? [mask] : []
    },
    sleeps: true,
  },
  end: {
    class: 'release',
    perform: (_line, _actor, [cpu]) => {
      const { state } = cpu as Cpu
      ;(cpu as Cpu).handled()
      admitting(cpu as Cpu, () => {
        if (state) state.handler = null
      })
    },
    frees: () => false,
  },
}
