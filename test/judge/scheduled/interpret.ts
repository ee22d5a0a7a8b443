// An interpreter of machines with shared CPUs, that shares no code with the engine: every operation is a step, states are
// JSON texts, the search is a list. It follows docs/models.md, not the engine's sources.
import { ATOMICS, LOCKS, type Program, type Property, STORAGE, type Statement, WATCHED } from './program.ts'

type Instruction =
  | {
      readonly op:
        | 'take'
        | 'give'
        | 'read'
        | 'announce'
        | 'write'
        | 'release'
        | 'drain'
        | 'upgrade'
        | 'drainUpgrade'
        | 'downgrade'
        | 'enqueue'
      readonly lock: number
      readonly to?: number
    }
  | { readonly op: 'off' | 'on'; readonly what: 'interrupts' | 'preemption' }
  | { readonly op: 'loadOwn' | 'storeOwn'; readonly lock: number; readonly value: number }
  | { readonly op: 'add' | 'load' | 'set'; readonly variable: number; readonly value: number }
  | { readonly op: 'await'; readonly variable: number; readonly equals: number; readonly set: number }
  | { readonly op: 'send' | 'pause' | 'allocate' | 'free' | 'fill' | 'look' | 'end' }
  | { readonly op: 'jump'; readonly to: number }
  | { readonly op: 'unless'; readonly equals: number; readonly to: number }
  /** Jumps where the thread has an object, or has none. */
  | { readonly op: 'ifObject' | 'ifNone'; readonly to: number }
  | { readonly op: 'assert'; readonly equals: number }

interface State {
  plain: number[]
  atomic: number[]
  /** Owner of each lock that has one, or -1; of a reader/writer lock its writer. */
  owner: number[]
  readers: number[][]
  /** Of the lock that prefers writers: who has announced. */
  waiting: number[]
  upgrader: number
  queue: number[]
  pending: boolean
  /** Thread that each shared CPU runs, or -1. */
  running: number[]
  /** Whether the handler is running. */
  handling: boolean
  off: { interrupts: number; preemption: number }[]
  /** CPU that a thread is or was on, or -1. */
  on: number[]
  alive: boolean[]
  content: number[]
  /** Free storage, the last freed last. */
  stack: number[]
  at: number[]
  registers: number[]
  objects: number[]
  isFaulty: boolean
}

/** What running a program in every way comes to. */
export interface Verdicts {
  /** Kinds of violations, `hang` for all that stand forever, with the property's name where it has one. */
  readonly found: ReadonlySet<string>
  readonly states: number
}

const [IRQ, PREEMPT, RW, RW_WRITERS, MUTEX, SLEEP, HANDOFF] = [1, 2, 3, 4, 5, 6, 7]
const SPINS: readonly number[] = [0, IRQ, PREEMPT, RW, RW_WRITERS]

function acquire(lock: number, code: Instruction[]): void {
  if (lock === IRQ) code.push({ op: 'off', what: 'interrupts' })
  if (lock === PREEMPT) code.push({ op: 'off', what: 'preemption' })
  if (lock === RW_WRITERS || lock === SLEEP) code.push({ op: 'announce', lock })
  if (lock === RW || lock === RW_WRITERS) code.push({ op: 'write', lock })
  else if (lock === SLEEP) code.push({ op: 'drain', lock })
  else {
    if (lock === HANDOFF) code.push({ op: 'enqueue', lock })
    code.push({ op: 'take', lock })
  }
}

function release(lock: number, code: Instruction[]): void {
  code.push({ op: lock === RW || lock === RW_WRITERS || lock === SLEEP ? 'release' : 'give', lock })
  if (lock === PREEMPT) code.push({ op: 'on', what: 'preemption' })
  if (lock === IRQ) code.push({ op: 'on', what: 'interrupts' })
}

function compile(statements: readonly Statement[], code: Instruction[], sends: boolean): void {
  const over = (make: (to: number) => Instruction, body: () => void): void => {
    const at = code.push({ op: 'pause' }) - 1
    body()
    code[at] = make(code.length)
  }
  for (const s of statements) {
    switch (s.kind) {
      case 'locked':
        acquire(s.lock, code)
        compile(s.body, code, sends)
        release(s.lock, code)
        break
      case 'reading':
        code.push({ op: 'read', lock: s.lock })
        compile(s.body, code, sends)
        code.push({ op: 'release', lock: s.lock })
        break
      case 'upgrading':
        code.push({ op: 'read', lock: SLEEP }, { op: 'loadOwn', lock: SLEEP, value: 0 })
        over(
          (to) => ({ op: 'upgrade', lock: SLEEP, to }),
          () => {
            code.push({ op: 'drainUpgrade', lock: SLEEP })
            compile(s.body, code, sends)
            code.push({ op: 'release', lock: SLEEP })
          },
        )
        break
      case 'downgrading':
        acquire(SLEEP, code)
        compile(s.body, code, sends)
        code.push(
          { op: 'downgrade', lock: SLEEP },
          { op: 'loadOwn', lock: SLEEP, value: 0 },
          { op: 'release', lock: SLEEP },
        )
        break
      case 'forget':
        acquire(s.lock, code)
        break
      case 'perCpu':
        code.push({ op: 'off', what: s.what })
        compile(s.body, code, sends)
        code.push({ op: 'on', what: s.what })
        break
      case 'quiet':
        code.push({ op: 'off', what: s.what })
        compile(s.body, code, sends)
        if (!s.forgets) code.push({ op: 'on', what: s.what })
        break
      case 'allocate':
        over(
          (to) => ({ op: 'ifObject', to }),
          () => code.push({ op: 'allocate' }),
        )
        break
      case 'free':
      case 'fill':
      case 'look':
        over(
          (to) => ({ op: 'ifNone', to }),
          () => code.push({ op: s.kind }),
        )
        break
      case 'if':
        over(
          (to) => ({ op: 'unless', equals: s.equals, to }),
          () => compile(s.body, code, sends),
        )
        break
      case 'send':
        code.push({ op: sends ? 'send' : 'pause' })
        break
      case 'pause':
        code.push({ op: 'pause' })
        break
      case 'assert':
        code.push({ op: 'assert', equals: s.equals })
        break
      case 'await':
        code.push({ op: 'await', variable: s.variable, equals: s.equals, set: s.set })
        break
      case 'loadOwn':
      case 'storeOwn':
        code.push({ op: s.kind, lock: s.lock, value: s.value })
        break
      default:
        code.push({ op: s.kind, variable: s.variable, value: s.value })
    }
  }
}

function codesOf({ threads, handler }: Program): Instruction[][] {
  const codes = threads.map(({ body, role }) => {
    const code: Instruction[] = []
    if (role === 'endless') code.push({ op: 'pause' })
    compile(body, code, handler !== null)
    if (role !== 'thread') code.push({ op: 'jump', to: 0 })
    return code
  })
  if (handler === null) return codes
  const code: Instruction[] = []
  compile(handler, code, true)
  return [...codes, [...code, { op: 'end' }]]
}

/** The whole of a program's behaviour. */
class Interpreter {
  readonly #program: Program
  readonly #codes: readonly (readonly Instruction[])[]
  /** Number of the handler, which is the last actor; -1 without one. */
  readonly #handler: number
  readonly found = new Set<string>()

  constructor(program: Program) {
    this.#program = program
    this.#codes = codesOf(program)
    this.#handler = program.handler === null ? -1 : program.threads.length
  }

  first(): State {
    const of = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
    const actors = this.#codes.length
    const state: State = {
      plain: of(LOCKS.length + 1, () => 0),
      atomic: of(ATOMICS, () => 0),
      owner: of(LOCKS.length, () => -1),
      readers: of(LOCKS.length, () => []),
      waiting: [],
      upgrader: -1,
      queue: [],
      pending: false,
      running: [-1, -1],
      handling: false,
      off: of(actors, () => ({ interrupts: 0, preemption: 0 })),
      on: of(actors, () => -1),
      alive: of(STORAGE, () => false),
      content: of(STORAGE, () => 0),
      stack: of(STORAGE, () => 0).map((_, i) => STORAGE - 1 - i),
      at: of(actors, () => 0),
      registers: of(actors, () => 0),
      objects: of(actors, () => -1),
      isFaulty: false,
    }
    this.#codes.forEach((_code, actor) => {
      if (actor !== this.#handler) this.#settle(state, actor)
    })
    for (const [i, property] of this.#program.properties.entries())
      if (property.form === 'invariant') this.#check(state, property, i)
    return state
  }

  hasFinished(state: State, actor: number): boolean {
    return (
      actor !== this.#handler && (state.at[actor] as number) >= (this.#codes[actor] as readonly Instruction[]).length
    )
  }

  isHandler(actor: number): boolean {
    return actor === this.#handler
  }

  get actors(): number[] {
    return this.#codes.map((_, actor) => actor)
  }

  isIdleHandler(state: State, actor: number): boolean {
    return actor === this.#handler && !state.handling
  }

  /** The states after one step of an actor. */
  steps(state: State, actor: number): State[] {
    if (actor === this.#handler) {
      if (!state.handling) return this.#isDue(state) ? [this.#take(state)] : []
      return this.#at(state, actor, -1)
    }
    if (this.hasFinished(state, actor)) return []
    const { on } = this.#program.threads[actor] as Program['threads'][number]
    if (on.length === 0) return this.#at(state, actor, -1)
    return this.#placements(state, actor, on).flatMap((cpu) => this.#at(state, actor, cpu))
  }

  /** CPUs on which a thread may take its next step. */
  #placements(state: State, actor: number, on: readonly number[]): number[] {
    const mine = state.running.indexOf(actor)
    const isKept = (cpu: number): boolean => {
      if (cpu === 0 && state.handling) return true
      const other = state.running[cpu] as number
      return other >= 0 && other !== actor && this.#isQuiet(state, other)
    }
    if (mine >= 0 && (isKept(mine) || this.#isQuiet(state, actor))) return isKept(mine) ? [] : [mine]
    return on.filter((cpu) => !isKept(cpu))
  }

  #isQuiet(state: State, actor: number): boolean {
    const { interrupts, preemption } = state.off[actor] as State['off'][number]
    return interrupts > 0 || preemption > 0
  }

  #areInterruptsOff({ running: [running = -1], off }: State): boolean {
    return running >= 0 && (off[running] as State['off'][number]).interrupts > 0
  }

  #isDue(state: State): boolean {
    return this.#handler >= 0 && state.pending && !state.handling && !this.#areInterruptsOff(state)
  }

  #take(before: State): State {
    const [state] = this.#next({ ...before, handling: true }, this.#handler, 0, (next) => (next.pending = false))
    return state as State
  }

  /** One instruction of an actor, on a shared CPU or on its own. */
  #at(before: State, actor: number, cpu: number): State[] {
    const code = this.#codes[actor] as readonly Instruction[]
    // an admitted interrupt is taken first
    if (actor === this.#handler && before.at[actor] === -1)
      return this.#next(before, actor, 0, (state) => (state.pending = false))
    const i = code[before.at[actor] as number] as Instruction
    const outcomes: State[] = []
    const outcome = (change: (state: State) => void, to = (before.at[actor] as number) + 1): void => {
      outcomes.push(
        ...this.#next(before, actor, to, (state) => {
          if (cpu >= 0 && state.running[cpu] !== actor) {
            const left = state.running.indexOf(actor)
            if (left >= 0) state.running[left] = -1
            state.running[cpu] = actor
            state.on[actor] = cpu
          }
          change(state)
        }),
      )
    }
    this.#perform(before, actor, i, outcome)
    return outcomes
  }

  #next(before: State, actor: number, to: number, change: (state: State) => void): State[] {
    const state = structuredClone(before)
    state.at[actor] = to
    change(state)
    this.#settle(state, actor)
    return [state]
  }

  #perform(
    before: State,
    actor: number,
    i: Instruction,
    outcome: (change: (state: State) => void, to?: number) => void,
  ): void {
    const released = (lock: number, change: (state: State) => void): void =>
      outcome((state) => {
        change(state)
        for (const [n, property] of this.#program.properties.entries())
          if (property.form === 'invariant' && property.lock === lock) this.#check(state, property, n)
      })
    const without = (list: readonly number[]): number[] => list.filter((other) => other !== actor)
    switch (i.op) {
      case 'off':
        outcome((state) => {
          if (actor !== this.#handler) (state.off[actor] as State['off'][number])[i.what] += 1
        })
        break
      case 'on':
        outcome((state) => {
          if (actor === this.#handler) return
          const off = state.off[actor] as State['off'][number]
          off[i.what] -= 1
          // what waited for interrupts to be on again comes before the thread continues
          if (i.what === 'interrupts' && off.interrupts === 0 && state.running[0] === actor && this.#isDue(state))
            this.#admit(state)
        })
        break
      case 'enqueue':
        outcome((state) => {
          if (state.owner[HANDOFF] === -1) state.owner[HANDOFF] = actor
          else state.queue.push(actor)
        })
        break
      case 'take':
        if (i.lock === HANDOFF) {
          if (before.owner[HANDOFF] === actor && !before.queue.includes(actor)) outcome(() => {})
        } else if (before.owner[i.lock] === -1) outcome((state) => (state.owner[i.lock] = actor))
        break
      case 'give':
        released(i.lock, (state) => (state.owner[i.lock] = i.lock === HANDOFF ? (state.queue.shift() ?? -1) : -1))
        break
      case 'announce':
        if (i.lock === RW_WRITERS)
          outcome((state) => (state.waiting = [...new Set([...state.waiting, actor])].toSorted()))
        else if (before.owner[SLEEP] === -1) outcome((state) => (state.owner[SLEEP] = actor))
        break
      case 'write':
        if (before.owner[i.lock] === -1 && before.readers[i.lock]?.length === 0)
          outcome((state) => {
            state.owner[i.lock] = actor
            if (i.lock === RW_WRITERS) state.waiting = without(state.waiting)
          })
        break
      case 'drain':
        if (before.readers[SLEEP]?.length === 0 && before.upgrader === -1) outcome(() => {})
        break
      case 'read':
        if (
          before.owner[i.lock] === -1 &&
          (i.lock !== RW_WRITERS || before.waiting.length === 0) &&
          (i.lock !== SLEEP || before.upgrader === -1)
        )
          outcome((state) => (state.readers[i.lock] = [...(state.readers[i.lock] as number[]), actor].toSorted()))
        break
      case 'upgrade':
        outcome(
          (state) => {
            state.readers[SLEEP] = without(state.readers[SLEEP] as number[])
            if (before.upgrader === -1) state.upgrader = actor
          },
          before.upgrader === -1 ? undefined : i.to,
        )
        break
      case 'drainUpgrade':
        if (before.readers[SLEEP]?.length === 0) outcome(() => {})
        break
      case 'downgrade':
        released(SLEEP, (state) => {
          state.readers[SLEEP] = [actor]
          this.#dropWriter(state, SLEEP, actor)
        })
        break
      case 'release':
        released(i.lock, (state) => {
          if (before.readers[i.lock]?.includes(actor))
            state.readers[i.lock] = without(state.readers[i.lock] as number[])
          else this.#dropWriter(state, i.lock, actor)
        })
        break
      case 'loadOwn':
        outcome((state) => (state.registers[actor] = state.plain[i.lock] as number))
        break
      case 'storeOwn':
        outcome((state) => (state.plain[i.lock] = i.value))
        break
      case 'add':
        outcome(
          (state) =>
            (state.registers[actor] = state.atomic[i.variable] = ((state.atomic[i.variable] as number) + 1) % 4),
        )
        break
      case 'load':
        outcome((state) => (state.registers[actor] = state.atomic[i.variable] as number))
        break
      case 'set':
        outcome((state) => (state.atomic[i.variable] = i.value))
        break
      case 'await':
        if (before.atomic[i.variable] === i.equals) outcome((state) => (state.atomic[i.variable] = i.set))
        break
      case 'send':
        outcome((state) => (state.pending = true))
        break
      case 'pause':
        outcome(() => {})
        break
      case 'allocate':
        this.#allocate(before, actor, outcome)
        break
      case 'free':
        outcome((state) => {
          const object = state.objects[actor] as number
          state.alive[object] = false
          state.content[object] = 0
          state.stack.push(object)
          state.objects[actor] = -1
        })
        break
      case 'fill':
        outcome((state) => (state.content[state.objects[actor] as number] = 3))
        break
      case 'look':
        outcome((state) => (state.registers[actor] = state.content[state.objects[actor] as number] as number))
        break
      case 'end':
        outcome((state) => {
          state.handling = false
          state.registers[actor] = 0
          if (this.#isDue(state)) this.#admit(state)
        }, 0)
        break
      default:
        throw new Error(`${i.op} is no step`)
    }
  }

  /** The handler is running although it has not taken its first step. */
  #admit(state: State): void {
    state.handling = true
    state.at[this.#handler] = -1
  }

  #dropWriter(state: State, lock: number, actor: number): void {
    if (lock === SLEEP && state.upgrader === actor) state.upgrader = -1
    else state.owner[lock] = -1
  }

  #allocate(before: State, actor: number, outcome: (change: (state: State) => void) => void): void {
    const { reuse, fallible } = this.#program
    const free = before.alive.flatMap((isAlive, i) => (isAlive ? [] : [i]))
    if (fallible || free.length === 0) outcome(() => {})
    if (free.length === 0) return
    const chosen = reuse === 'lowest' ? free.slice(0, 1) : reuse === 'lifo' ? before.stack.slice(-1) : free
    for (const object of chosen)
      outcome((state) => {
        state.alive[object] = true
        state.content[object] = 0
        state.stack = state.stack.filter((other) => other !== object)
        state.objects[actor] = object
      })
  }

  /** Runs what no other actor could notice, up to the next step; a thread that ends leaves its CPU. */
  #settle(state: State, actor: number): void {
    const code = this.#codes[actor] as readonly Instruction[]
    for (;;) {
      if (this.isIdleHandler(state, actor) || state.at[actor] === -1) return
      const at = state.at[actor] as number
      const i = code[at]
      if (i?.op === 'jump') state.at[actor] = i.to
      else if (i?.op === 'unless') state.at[actor] = state.registers[actor] === i.equals ? at + 1 : i.to
      else if (i?.op === 'ifObject' || i?.op === 'ifNone')
        state.at[actor] = (state.objects[actor] as number) >= 0 === (i.op === 'ifObject') ? i.to : at + 1
      else if (i?.op === 'assert') {
        state.isFaulty ||= state.registers[actor] === i.equals
        state.at[actor] = at + 1
      } else break
    }
    if (!this.hasFinished(state, actor)) return
    const cpu = state.running.indexOf(actor)
    if (cpu >= 0) state.running[cpu] = -1
    // what it held in registers is gone with it
    state.registers[actor] = 0
  }

  /** Locks that an actor holds. */
  #holds(state: State, actor: number, locks: readonly number[]): boolean {
    return (
      locks.some((lock) => state.owner[lock] === actor || state.readers[lock]?.includes(actor)) ||
      (locks.includes(SLEEP) && state.upgrader === actor)
    )
  }

  #check(state: State, property: Property, i: number): void {
    if (!this.#holdsTrue(state, property))
      this.found.add(`${property.form === 'atRest' ? 'at-rest' : 'invariant'} ${property.form} ${i}`)
  }

  #holdsTrue({ atomic, plain, owner }: State, property: Property): boolean {
    if (property.form === 'invariant')
      return (property.over === 'own' ? plain[property.lock] : atomic[0]) !== property.value
    const isSo = atomic[property.variable] === property.value
    if (property.form === 'owned') return !(owner[WATCHED] !== -1 && isSo)
    return property.form === 'sometimes' ? isSo : !isSo
  }

  /** What a state shows by itself. */
  look(state: State, isAtRest: boolean, met: Set<number>): void {
    for (const [i, property] of this.#program.properties.entries()) {
      if (property.form === 'always' || property.form === 'owned') this.#check(state, property, i)
      else if (property.form === 'sometimes' && this.#holdsTrue(state, property)) met.add(i)
      else if (property.form === 'atRest' && isAtRest) {
        met.add(i)
        this.#check(state, property, i)
      }
    }
    for (const actor of this.actors) {
      if (this.hasFinished(state, actor)) {
        if (
          this.#isQuiet(state, actor) ||
          this.#holds(
            state,
            actor,
            LOCKS.map((_, lock) => lock),
          )
        )
          this.found.add('imbalance')
      } else if (
        this.#sleepsNext(state, actor) &&
        (actor === this.#handler || this.#isQuiet(state, actor) || this.#holds(state, actor, SPINS))
      )
        this.found.add('sleep-in-atomic')
    }
  }

  #sleepsNext(state: State, actor: number): boolean {
    if (this.isIdleHandler(state, actor) || state.at[actor] === -1) return false
    const i = (this.#codes[actor] as readonly Instruction[])[state.at[actor] as number] as Instruction
    if (i.op === 'take') return i.lock === MUTEX || i.lock === HANDOFF
    return (
      'lock' in i &&
      i.lock === SLEEP &&
      (i.op === 'announce' || i.op === 'drain' || i.op === 'read' || i.op === 'drainUpgrade')
    )
  }

  isAtRest(state: State, moves: readonly { readonly actor: number; readonly isChange: boolean }[]): boolean {
    const isThrough = this.#program.threads.every(
      ({ role }, actor) => role !== 'thread' || this.hasFinished(state, actor),
    )
    return (
      isThrough && moves.every(({ actor, isChange }) => !isChange || this.#program.threads[actor]?.role === 'endless')
    )
  }

  /** Whether an actor must be able to move in a state, some time. */
  mustMove(state: State, actor: number): boolean {
    if (actor === this.#handler) return state.handling
    return this.#program.threads[actor]?.role !== 'daemon' && !this.hasFinished(state, actor)
  }

  isPause(state: State, actor: number): boolean {
    return (this.#codes[actor] as readonly Instruction[])[state.at[actor] as number]?.op === 'pause'
  }
}

/** Runs a program in every way; null when it has more than `most` states. */
export function interpretScheduled(program: Program, most: number): Verdicts | null {
  const interpreter = new Interpreter(program)
  const queue = [interpreter.first()]
  if ((queue[0] as State).isFaulty) return { found: new Set(['assertion']), states: 1 }
  const number = new Map([[JSON.stringify(queue[0]), 0]])
  const moves: { readonly from: number; readonly to: number; readonly actor: number }[] = []
  const met = new Set<number>()
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head] as State
    const here: { actor: number; isChange: boolean }[] = []
    for (const actor of interpreter.actors) {
      for (const next of interpreter.steps(state, actor)) {
        if (next.isFaulty) {
          interpreter.found.add('assertion')
          continue // nothing is beyond it
        }
        const key = JSON.stringify(next)
        let to = number.get(key)
        if (to === undefined) {
          if (queue.length >= most) return null
          to = queue.push(next) - 1
          number.set(key, to)
        }
        here.push({ actor, isChange: to !== head })
        if (to !== head || interpreter.isPause(state, actor)) moves.push({ from: head, to, actor })
      }
    }
    interpreter.look(state, interpreter.isAtRest(state, here), met)
  }
  if (hangs(interpreter, queue, moves)) interpreter.found.add('hang')
  for (const [i, { form }] of program.properties.entries())
    if ((form === 'sometimes' || form === 'atRest') && !met.has(i)) interpreter.found.add(`unreached ${form} ${i}`)
  return { found: interpreter.found, states: queue.length }
}

/** Whether somebody who must move can never again: what can move is passed back along the moves until nothing changes. */
function hangs(
  interpreter: Interpreter,
  states: readonly State[],
  moves: readonly { readonly from: number; readonly to: number; readonly actor: number }[],
): boolean {
  const { actors } = interpreter
  const alive = states.map((state) => new Set(actors.filter((actor) => !interpreter.mustMove(state, actor))))
  for (let changed = true; changed;) {
    changed = false
    for (const { from, to, actor } of moves) {
      const mine = alive[from] as Set<number>
      const before = mine.size
      // a handler has to come to its end, not only to move
      if (!interpreter.isHandler(actor)) mine.add(actor)
      for (const other of alive[to] as Set<number>) mine.add(other)
      changed ||= mine.size !== before
    }
  }
  return alive.some((can) => can.size < actors.length)
}
