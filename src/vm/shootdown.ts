import {
  type Actor,
  type Cpu,
  type Instance,
  type Machine,
  Operation,
  type Primitive,
  type SyncObject,
  event,
  struct,
  u,
} from 'vmcheck'
import type { AddressSpace } from './address-space.ts'
import { InterruptLine } from './processor.ts'
import { checkNumber, checkOptions } from './options.ts'

/** A request holds one bit a page. */
const MAX_PAGES = 30

interface Request {
  /** CPUs that have not served it: one bit a CPU. */
  pending: number
  /** Pages to be invalidated: one bit a page. */
  pages: number
}

const RequestStruct = struct<Request>('request', { pending: event(u(30)), pages: event(u(30)) })

const OPERATIONS: Readonly<Record<string, Primitive<Shootdown>>> = {
  request: {
    class: 'other',
    perform: (shootdown, actor, [pages, targets]) =>
      shootdown.post(actor, pages as readonly number[], targets as readonly Cpu[]),
    detail: ([pages]) => `page ${(pages as readonly number[]).join(', ')}`,
  },
  wait: {
    class: 'other',
    enabled: (shootdown, actor) => shootdown.isServed(actor),
    perform: () => undefined,
    wakers: (shootdown, actor) => shootdown.servants(actor),
    detail: () => 'for acknowledgement',
  },
  waitOrAsked: {
    class: 'other',
    enabled: (shootdown, actor, [cpu]) => shootdown.isServed(actor) || shootdown.isAsked(cpu as Cpu),
    perform: (shootdown, actor) => shootdown.isServed(actor),
    wakers: (shootdown, actor) => shootdown.servants(actor),
    detail: () => 'for acknowledgement, or to be asked',
  },
  serve: {
    class: 'other',
    perform: (shootdown, _actor, [cpu]) => shootdown.drain(cpu as Cpu),
    detail: ([cpu]) => `what ${(cpu as Cpu).name} was asked for`,
  },
}

/**
 * TLB shootdown of one address space: a thread asks other CPUs to invalidate pages, by interprocessor interrupt, and
 * waits until each has acknowledged. Whoever serves a CPU's requests, its interrupt handler as a rule, drops the
 * translations and acknowledges in one step.
 *
 * @example
 * const cpus = [m.cpu(), m.cpu()]
 * const frames = new FrameStore(m, { frames: 1, name: 'frame' })
 * const space = new AddressSpace(m, 'P', { pages: 1, frames, cpus: 2 })
 * const shootdown = new Shootdown(m, 'ipi', space, cpus, 1)
 * m.thread(function* unmaps() {
 *   yield* atomically(() => space.set(0, null, false))
 *   yield* shootdown.request([0], cpus)
 *   yield* shootdown.wait()
 *   yield* atomically(() => m.assert(space.cached(1, 0).length === 0, 'no CPU can reach the page'))
 * }, { on: cpus[0] })
 */
export class Shootdown implements SyncObject {
  /** Its name, in traces and messages. */
  readonly name: string
  /** Its operations, by name. */
  readonly operations: Readonly<Record<string, Primitive<never>>> = OPERATIONS as Readonly<
    Record<string, Primitive<never>>
  >
  readonly #space: AddressSpace
  readonly #line: InterruptLine
  readonly #cpus: readonly Cpu[]
  /** By initiator's actor id. */
  readonly #requests: readonly Instance<Request>[]
  readonly #handlers: readonly Actor[]

  /**
   * @param cpus those with a TLB, in the order of the space's TLBs; made by `m.cpu()`
   * @param threads actors made afterwards that may ask for a shootdown
   * @param options `deferred`: a CPU whose thread has preemption off serves its requests only afterwards
   */
  constructor(
    m: Machine,
    name: string,
    space: AddressSpace,
    cpus: readonly Cpu[],
    threads: number,
    options: { readonly deferred?: boolean } = {},
  ) {
    checkOptions(`shootdown ${name}`, options, ['deferred'])
    checkNumber(`threads of ${name}, which says how many may ask,`, threads, 0, 30)
    checkNumber(`with a shootdown, pages of ${space.name}`, space.entries.length, 0, MAX_PAGES)
    if (cpus.some((cpu) => typeof cpu?.index !== 'number'))
      throw new TypeError(`cpus of ${name} must be made by m.cpu()`)
    this.name = name
    this.#space = space
    this.#cpus = cpus
    this.#line = new InterruptLine(m, `${name}.ipi`, options)
    this.#requests = m.array(RequestStruct, cpus.length + threads + m.actors.length, `${name}.request`)
    this.#handlers = cpus.map((cpu) => this.#line.handle(cpu, serving(this, cpu)))
  }

  /** Asks the targets to invalidate pages; the initiator's own CPU, if it is one, does so at once. */
  request(pages: readonly number[], targets: readonly Cpu[]): Operation<void> {
    return new Operation(this, 'request', [pages, targets])
  }

  /** Waits, spinning, until every target has acknowledged. */
  wait(): Operation<void> {
    return new Operation(this, 'wait')
  }

  /** Waits, spinning, until every target has acknowledged or another CPU asks `cpu`; true for the former. */
  waitOrAsked(cpu: Cpu): Operation<boolean> {
    return new Operation(this, 'waitOrAsked', [cpu])
  }

  /** Serves what a CPU was asked for. */
  serve(cpu: Cpu): Operation<void> {
    return new Operation(this, 'serve', [cpu])
  }

  /** Inside an effect or property: whether every target has acknowledged the actor's request. */
  isServed(actor: Actor): boolean {
    return (this.#request(actor).pending ?? 0) === 0
  }

  /** Inside an effect or property: whether another CPU waits for this one. */
  isAsked(cpu: Cpu): boolean {
    return this.#requests.some(({ pending }) => ((pending >> cpu.index) & 1) === 1)
  }

  /** Inside its operations: the handlers that have not acknowledged yet. */
  servants(actor: Actor): Actor[] {
    const { pending } = this.#request(actor)
    return this.#handlers.filter(({ cpu }) => ((pending >> cpu.index) & 1) === 1)
  }

  /** Inside its operations: see {@link request}. */
  post(actor: Actor, pages: readonly number[], targets: readonly Cpu[]): void {
    for (const page of pages) checkNumber(`a page of ${this.#space.name}`, page, 0, this.#space.entries.length - 1)
    const request = this.#request(actor)
    if (request.pending !== 0)
      throw new Error(`${actor.name} asks for a shootdown while its last one is not acknowledged: wait for it first`)
    request.pages = pages.reduce((mask, page) => mask | (1 << page), 0)
    for (const cpu of targets) {
      if (cpu === actor.here) for (const page of pages) this.#space.invalidate(this.#cpus.indexOf(cpu), page)
      else {
        request.pending |= 1 << cpu.index
        this.#line.raise(cpu)
      }
    }
    if (request.pending === 0) request.pages = 0
  }

  /** Inside its operations: see {@link serve}. */
  drain(cpu: Cpu): void {
    for (const request of this.#requests) {
      if (((request.pending >> cpu.index) & 1) === 0) continue
      for (const page of this.#space.entries.keys())
        if (((request.pages >> page) & 1) === 1) this.#space.invalidate(this.#cpus.indexOf(cpu), page)
      request.pending &= ~(1 << cpu.index)
      if (request.pending === 0) request.pages = 0
    }
  }

  #request(actor: Actor): Instance<Request> {
    const request = this.#requests[actor.id]
    if (!request) throw new RangeError(`${this.name} was made for fewer threads than ${actor.id + 1}`)
    return request
  }
}

function serving(shootdown: Shootdown, cpu: Cpu): () => Generator<Operation<unknown>, void, unknown> {
  return function* serve() {
    yield* shootdown.serve(cpu)
  }
}
