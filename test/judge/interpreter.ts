// An interpreter of generated programs that shares no code with the engine: every access and operation is a step,
// states are JSON texts, the search is a list. Slow, small, and meant to be obviously right.
import { type GeneratedProgram, SIZES, type Statement } from './program.ts'

/** One step of a thread, or a jump between two. */
export type Instruction =
  | {
      readonly op: 'load' | 'store'
      readonly space: 'plain' | 'volatile' | 'published'
      readonly variable: number
      readonly register: number
      readonly value: number | null
    }
  | { readonly op: 'add'; readonly variable: number; readonly register: number }
  | { readonly op: 'spin'; readonly variable: number; readonly equals: number }
  /** Writes a volatile variable, and adds one to a register, by what was read into the one behind the registers. */
  | { readonly op: 'storeFlipped'; readonly variable: number }
  | { readonly op: 'addTo'; readonly variable: number; readonly register: number }
  | {
      readonly op: 'await'
      readonly space: 'plain' | 'atomic'
      readonly variable: number
      readonly equals: number
      readonly set: number
    }
  | {
      readonly op: 'awaitBoth'
      readonly variable: number
      readonly equals: number
      readonly other: number
      readonly set: number
    }
  | { readonly op: 'acquire' | 'release'; readonly lock: number }
  | { readonly op: 'try'; readonly otherwise: number }
  | { readonly op: 'read' | 'want' | 'drain' | 'endRead' | 'endWrite'; readonly lock: number }
  | { readonly op: 'assertWait' | 'block' | 'wakeAll' | 'wakeOne'; readonly channel: number }
  | { readonly op: 'jump'; readonly to: number }
  | { readonly op: 'branch'; readonly register: number; readonly equals: number; readonly otherwise: number }
  | { readonly op: 'choose' | 'allocate'; readonly register: number }
  | { readonly op: 'assert'; readonly register: number; readonly equals: number }
  | { readonly op: 'pick' | 'look' | 'show' | 'lose' }
  | { readonly op: 'mark'; readonly value: number }
  | { readonly op: 'readPage' | 'mine'; readonly register: number }
  | { readonly op: 'pause' | 'result' }

interface State {
  plain: number[]
  atomic: number[]
  volatile: number[]
  published: number[]
  /** Owner, or -1; the last is the tried one. */
  mutexes: number[]
  writers: number[]
  readers: number[][]
  sleepers: number[][]
  /** Value and owner (thread + 1) of each page; page on the board, + 1; storage handed out. */
  pages: number[][]
  board: number
  stored: number
  /** Page of each thread, + 1. */
  mine: number[]
  /** What each thread's registers held in the end. */
  results: number[]
  at: number[]
  /** An assertion failed on the way here. */
  isFaulty: boolean
  registers: number[][]
}

/** What running a program in every way comes to. */
export interface Outcome {
  readonly race: boolean
  /** Whether an assertion fails somewhere. */
  readonly fault: boolean
  /** Sets of threads that stand still forever, as texts. */
  readonly stuck: ReadonlySet<string>
  /** Variables when all threads have finished, as texts. */
  readonly ends: ReadonlySet<string>
  /** Threads that in some reachable state have not finished and can never move again, as a text. */
  readonly wedged: string
  readonly states: number
}

/** The register for what one expression has read so far. */
export const BEHIND: number = SIZES.registers

/** Number of the mutex that is tried. */
export const TRIED: number = SIZES.mutexes

function compile(statements: readonly Statement[], code: Instruction[]): void {
  for (const s of statements) compileOne(s, code)
}

function compileOne(s: Statement, code: Instruction[]): void {
  switch (s.kind) {
    case 'locked':
      code.push({ op: 'acquire', lock: s.lock })
      compile(s.body, code)
      code.push({ op: 'release', lock: s.lock })
      break
    case 'reading':
      code.push({ op: 'read', lock: s.lock })
      compile(s.body, code)
      code.push({ op: 'endRead', lock: s.lock })
      break
    case 'writing':
      code.push({ op: 'want', lock: s.lock }, { op: 'drain', lock: s.lock })
      compile(s.body, code)
      code.push({ op: 'endWrite', lock: s.lock })
      break
    case 'tried':
      compileTried(s, code)
      break
    case 'load':
    case 'loadVolatile':
    case 'loadOnce': {
      const space = s.kind === 'load' ? 'plain' : s.kind === 'loadVolatile' ? 'volatile' : 'published'
      code.push({ op: 'load', space, variable: s.variable, register: s.register, value: null })
      break
    }
    case 'store':
    case 'storeVolatile':
    case 'publish': {
      const space = s.kind === 'store' ? 'plain' : s.kind === 'storeVolatile' ? 'volatile' : 'published'
      code.push({ op: 'store', space, variable: s.variable, register: 0, value: s.value })
      break
    }
    case 'storeRegister':
      code.push({ op: 'store', space: 'plain', variable: s.variable, register: s.register, value: null })
      break
    case 'spin':
      code.push({ op: 'spin', variable: s.variable, equals: s.equals })
      break
    case 'flip':
      code.push(
        { op: 'load', space: 'volatile', variable: s.variable, register: BEHIND, value: null },
        { op: 'storeFlipped', variable: s.variable },
      )
      break
    case 'sum':
      code.push(
        { op: 'load', space: 'volatile', variable: s.variable, register: BEHIND, value: null },
        { op: 'addTo', variable: 0, register: s.register },
      )
      break
    case 'add':
      code.push({ op: 'add', variable: s.variable, register: s.register })
      break
    case 'expect':
      code.push(
        { op: 'add', variable: s.variable, register: s.register },
        { op: 'assert', register: s.register, equals: s.equals },
      )
      break
    case 'await':
    case 'awaitPlain':
      code.push({
        op: 'await',
        space: s.kind === 'await' ? 'atomic' : 'plain',
        variable: s.variable,
        equals: s.equals,
        set: s.set,
      })
      break
    case 'awaitBoth':
      code.push({ op: 'awaitBoth', variable: s.variable, equals: s.equals, other: s.other, set: s.set })
      break
    case 'sleep':
      code.push({ op: 'assertWait', channel: s.channel }, { op: 'block', channel: s.channel })
      break
    case 'wakeAll':
    case 'wakeOne':
      code.push({ op: s.kind, channel: s.channel })
      break
    case 'if': {
      const test = code.push({ op: 'jump', to: 0 }) - 1
      compile(s.body, code)
      const over = code.push({ op: 'jump', to: 0 }) - 1
      code[test] = { op: 'branch', register: s.register, equals: s.equals, otherwise: code.length }
      compile(s.otherwise, code)
      code[over] = { op: 'jump', to: code.length }
      break
    }
    case 'repeat':
      for (let i = 0; i < s.times; i++) compile(s.body, code)
      break
    case 'call':
      compile(s.body, code)
      break
    case 'choose':
    case 'allocate':
    case 'mine':
      code.push({ op: s.kind, register: s.register })
      break
    case 'read':
      code.push({ op: 'readPage', register: s.register })
      break
    case 'assert':
      code.push({ op: 'assert', register: s.register, equals: s.equals })
      break
    case 'mark':
      code.push({ op: 'mark', value: s.value })
      break
    case 'pick':
    case 'look':
    case 'show':
    case 'lose':
      code.push({ op: s.kind })
  }
}

function compileTried(s: Statement & { kind: 'tried' }, code: Instruction[]): void {
  if (s.blocking) {
    code.push({ op: 'acquire', lock: TRIED })
    compile(s.body, code)
    code.push({ op: 'release', lock: TRIED })
    return
  }
  const test = code.push({ op: 'jump', to: 0 }) - 1
  compile(s.body, code)
  code.push({ op: 'release', lock: TRIED })
  const over = code.push({ op: 'jump', to: 0 }) - 1
  code[test] = { op: 'try', otherwise: code.length }
  compile(s.otherwise, code)
  code[over] = { op: 'jump', to: code.length }
}

/** Runs local instructions until the thread stands before one that others could notice. */
function settle(state: State, thread: number, code: readonly Instruction[]): void {
  for (;;) {
    const i = code[state.at[thread] as number]
    if (i?.op === 'jump') state.at[thread] = i.to
    else if (i?.op === 'branch')
      state.at[thread] =
        (state.registers[thread] as number[])[i.register] === i.equals ? (state.at[thread] as number) + 1 : i.otherwise
    else if (i?.op === 'assert') {
      state.isFaulty ||= (state.registers[thread] as number[])[i.register] === i.equals
      state.at[thread] = (state.at[thread] as number) + 1
    } else return
  }
}

/** The states after one step of a thread; none when it is blocked or has finished. */
function steps(before: State, thread: number, code: readonly Instruction[]): State[] {
  const i = code[before.at[thread] as number]
  if (!i) return []
  const outcomes: State[] = []
  const outcome = (change: (state: State, registers: number[]) => void): void => {
    const state = structuredClone(before)
    state.at[thread] = (state.at[thread] as number) + 1
    change(state, state.registers[thread] as number[])
    settle(state, thread, code)
    outcomes.push(state)
  }
  switch (i.op) {
    case 'load':
      outcome((state, registers) => (registers[i.register] = state[i.space][i.variable] as number))
      break
    case 'store':
      outcome((state, registers) => (state[i.space][i.variable] = i.value ?? (registers[i.register] as number)))
      break
    case 'add':
      outcome(
        (state, registers) =>
          (registers[i.register] = state.atomic[i.variable] = ((state.atomic[i.variable] as number) + 1) % 4),
      )
      break
    case 'spin':
      outcome(
        (state) =>
          (state.at[thread] = (before.at[thread] as number) + (before.volatile[i.variable] === i.equals ? 0 : 1)),
      )
      break
    case 'storeFlipped':
      outcome((state, registers) => {
        state.volatile[i.variable] = (registers[BEHIND] as number) ^ 1
        registers[BEHIND] = 0
      })
      break
    case 'addTo':
      outcome((state, registers) => {
        registers[i.register] = ((registers[BEHIND] as number) + (state.volatile[i.variable] as number)) % 4
        registers[BEHIND] = 0
      })
      break
    case 'await':
      if (before[i.space][i.variable] === i.equals) outcome((state) => (state[i.space][i.variable] = i.set))
      break
    case 'awaitBoth':
      if (before.atomic[i.variable] === i.equals && before.volatile[0] === i.other)
        outcome((state) => (state.atomic[i.variable] = i.set))
      break
    case 'acquire':
      if (before.mutexes[i.lock] === -1) outcome((state) => (state.mutexes[i.lock] = thread))
      break
    case 'release':
      outcome((state) => (state.mutexes[i.lock] = -1))
      break
    case 'try':
      outcome((state) => {
        if (state.mutexes[TRIED] === -1) state.mutexes[TRIED] = thread
        else state.at[thread] = i.otherwise
      })
      break
    case 'read':
      if (before.writers[i.lock] === -1)
        outcome((state) => (state.readers[i.lock] = [...(state.readers[i.lock] as number[]), thread].toSorted()))
      break
    case 'want':
      if (before.writers[i.lock] === -1) outcome((state) => (state.writers[i.lock] = thread))
      break
    case 'drain':
      if (before.readers[i.lock]?.length === 0) outcome(() => {})
      break
    case 'endRead':
      outcome((state) =>
        (state.readers[i.lock] as number[]).splice((state.readers[i.lock] as number[]).indexOf(thread), 1),
      )
      break
    case 'endWrite':
      outcome((state) => (state.writers[i.lock] = -1))
      break
    case 'assertWait':
      outcome(
        (state) =>
          (state.sleepers[i.channel] = [...new Set([...(state.sleepers[i.channel] as number[]), thread])].toSorted()),
      )
      break
    case 'block':
      if (!before.sleepers[i.channel]?.includes(thread)) outcome(() => {})
      break
    case 'wakeAll':
      outcome((state) => (state.sleepers[i.channel] = []))
      break
    case 'wakeOne':
      if (before.sleepers[i.channel]?.length === 0) outcome(() => {})
      for (const woken of before.sleepers[i.channel] as number[])
        outcome(
          (state) =>
            (state.sleepers[i.channel] = (state.sleepers[i.channel] as number[]).filter((other) => other !== woken)),
        )
      break
    case 'result':
      outcome((state, [r0, r1]) => (state.results[thread] = (r0 as number) * 4 + (r1 as number)))
      break
    case 'pause':
      outcome(() => {})
      break
    case 'choose':
      for (const taken of [0, 1]) outcome((_state, registers) => (registers[i.register] = taken))
      break
    case 'allocate':
      outcome((_state, registers) => (registers[i.register] = 0))
      outcome((state, registers) => {
        registers[i.register] = state.stored < SIZES.storage ? 1 : 0
        state.stored = Math.min(SIZES.storage, state.stored + 1)
      })
      break
    case 'pick':
      for (let page = 1; page <= SIZES.pages; page++) outcome((state) => (state.mine[thread] = page))
      break
    case 'look':
      outcome((state) => (state.mine[thread] = state.board))
      break
    case 'show':
      outcome((state) => (state.board = state.mine[thread] as number))
      break
    case 'lose':
      outcome((state) => (state.mine[thread] = 0))
      break
    case 'mark':
      if (before.mine[thread] === 0) outcome(() => {})
      else outcome((state) => (state.pages[(state.mine[thread] as number) - 1] = [i.value, thread + 1]))
      break
    case 'readPage':
      outcome(
        (state, registers) =>
          (registers[i.register] =
            state.mine[thread] === 0
              ? 0
              : ((state.pages[(state.mine[thread] as number) - 1] as number[])[0] as number)),
      )
      break
    case 'mine':
      outcome(
        (state, registers) =>
          (registers[i.register] =
            state.mine[thread] !== 0 && (state.pages[(state.mine[thread] as number) - 1] as number[])[1] === thread + 1
              ? 1
              : 0),
      )
  }
  return outcomes
}

/** The plain variable that an instruction touches, and how: plainly, or in an atomic action (whether it is enabled or not). */
function touches(
  i: Instruction | undefined,
  isEnabled: boolean,
): { variable: number; writes: boolean; plainly: boolean } | null {
  if ((i?.op === 'load' || i?.op === 'store') && i.space === 'plain')
    return { variable: i.variable, writes: i.op === 'store', plainly: true }
  return i?.op === 'await' && i.space === 'plain' ? { variable: i.variable, writes: isEnabled, plainly: false } : null
}

function isRacy(state: State, codes: readonly (readonly Instruction[])[]): boolean {
  const next = codes.map((code, thread) =>
    touches(code[state.at[thread] as number], steps(state, thread, code).length > 0),
  )
  return next.some((a, p) =>
    next.some(
      (b, q) => p < q && a && b && a.variable === b.variable && (a.writes || b.writes) && (a.plainly || b.plainly),
    ),
  )
}

function readsShared(i: Instruction | undefined): boolean {
  return i?.op !== 'pause' && i?.op !== 'choose' && i?.op !== 'pick' && i?.op !== 'lose'
}

/** Threads that somewhere have not finished and can never move again: what can move is passed back along the moves until nothing changes. */
function wedgedThreads(
  states: readonly State[],
  moves: readonly { readonly from: number; readonly to: number; readonly thread: number }[],
  codes: readonly (readonly Instruction[])[],
): string {
  const alive = states.map(
    (state) => new Set(codes.flatMap((code, thread) => ((state.at[thread] as number) >= code.length ? [thread] : []))),
  )
  for (let changed = true; changed;) {
    changed = false
    for (const { from, to, thread } of moves) {
      const mine = alive[from] as Set<number>
      const before = mine.size
      if (thread >= 0) mine.add(thread)
      for (const other of alive[to] as Set<number>) mine.add(other)
      changed ||= mine.size !== before
    }
  }
  return codes.flatMap((_code, thread) => (alive.some((can) => !can.has(thread)) ? [thread] : [])).join()
}

/** The instructions of each thread. */
export function instructions(program: GeneratedProgram): Instruction[][] {
  return program.threads.map((statements, thread) => {
    const code: Instruction[] = []
    compile(statements, code)
    const again = program.forever[thread]
    if (!again) code.push({ op: 'result' })
    else {
      const start = code.push({ op: 'pause' }) - 1
      compile(again, code)
      code.push({ op: 'jump', to: start })
    }
    return code
  })
}

/** Runs a program in every way; null when it has more than `most` states. */
export function interpret(program: GeneratedProgram, most: number): Outcome | null {
  const codes = instructions(program)
  const zeros = (n: number): number[] => Array.from({ length: n }, () => 0)
  const first: State = {
    plain: zeros(SIZES.plain),
    atomic: zeros(SIZES.atomic),
    volatile: zeros(SIZES.volatile),
    published: zeros(SIZES.published),
    mutexes: zeros(SIZES.mutexes + 1).map(() => -1),
    writers: zeros(SIZES.sleepLocks).map(() => -1),
    readers: zeros(SIZES.sleepLocks).map(() => []),
    sleepers: zeros(SIZES.channels).map(() => []),
    pages: zeros(SIZES.pages).map(() => [0, 0]),
    board: 0,
    stored: 0,
    mine: zeros(codes.length),
    results: zeros(codes.length),
    at: zeros(codes.length),
    isFaulty: false,
    registers: codes.map(() => zeros(SIZES.registers + 1)),
  }
  codes.forEach((code, thread) => settle(first, thread, code))
  const seen = new Set([JSON.stringify(first)])
  const queue = [first]
  const stuck = new Set<string>()
  const ends = new Set<string>()
  let race = false
  let fault = false
  const number = new Map([[JSON.stringify(first), 0]])
  const moves: { readonly from: number; readonly to: number; readonly thread: number }[] = []
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head] as State
    race ||= isRacy(state, codes)
    const next = codes.flatMap((code, thread) =>
      steps(state, thread, code).map((to) => ({ to, thread, reads: readsShared(code[state.at[thread] as number]) })),
    )
    if (next.length === 0) {
      const standing = codes.flatMap((code, thread) => ((state.at[thread] as number) < code.length ? [thread] : []))
      if (standing.length > 0) stuck.add(standing.join())
      else
        ends.add(
          JSON.stringify([
            state.plain,
            state.atomic,
            state.volatile,
            state.published,
            state.pages.map(([value, owner]) => [value, owner !== 0]).toSorted(),
            state.board !== 0,
            program.alike ? state.results.toSorted() : state.results,
          ]),
        )
    }
    for (const { to: one, thread, reads } of next) {
      if (one.isFaulty) {
        fault = true
        continue // nothing is beyond it
      }
      const key = JSON.stringify(one)
      if (!seen.has(key)) {
        if (seen.size >= most) return null
        number.set(key, queue.length)
        seen.add(key)
        queue.push(one)
      }
      const to = number.get(key) as number
      moves.push({ from: head, to, thread: to === head && reads ? -1 : thread })
    }
  }
  return { race, fault, stuck, ends, wedged: wedgedThreads(queue, moves, codes), states: seen.size }
}
