import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { BEHIND, type Instruction, TRIED, instructions } from './interpreter.ts'
import { type GeneratedProgram, SIZES } from './program.ts'

const run = promisify(execFile)

/** The program in Promela: an atomic statement for each step of the interpreter, so that the graphs are the same. */
export function printPromela(program: GeneratedProgram): string {
  const threads = instructions(program).map(
    (code, thread) => `active proctype thread${thread}() {\n  byte r0, r1, r2, p;\n${printThread(code, thread)}}\n`,
  )
  return `byte plain[${SIZES.plain}], atomics[${SIZES.atomic}], loud[${SIZES.volatile}], shown[${SIZES.published}];
byte mutexes[${TRIED + 1}], writers[${SIZES.sleepLocks}], readers[${SIZES.sleepLocks}], sleepers[${SIZES.channels}];
byte values[${SIZES.pages}], owners[${SIZES.pages}], board, stored, results[${program.threads.length}];
${threads.join('')}`
}

function printThread(code: readonly Instruction[], thread: number): string {
  const lines = [`  goto ${label(code, start(code), thread)};`]
  code.forEach((instruction, at) => {
    if (instruction.op === 'jump' || instruction.op === 'branch' || instruction.op === 'assert') return
    const outcomes = steps(instruction, thread, at).map(
      ({ guard, effect, to }) => `:: atomic { ${guard} -> ${effect} ${settle(code, to ?? at + 1, thread)} }`,
    )
    lines.push(`L${at}: if ${outcomes.join(' ')} fi;`)
  })
  return `${lines.map((line) => `  ${line}`).join('\n')}\n  end${thread}: (false)\n`
}

/** The first step, while all registers are 0. */
function start(code: readonly Instruction[]): number {
  for (let at = 0; ;) {
    const instruction = code[at]
    if (instruction?.op === 'jump') at = instruction.to
    else if (instruction?.op === 'branch') at = instruction.equals === 0 ? at + 1 : instruction.otherwise
    else if (instruction?.op === 'assert') at++
    else return at
  }
}

function label(code: readonly Instruction[], at: number, thread: number): string {
  return code[at] ? `L${at}` : `end${thread}`
}

/** Goes on, through jumps, branches and assertions, to the next step. */
function settle(code: readonly Instruction[], at: number, thread: number): string {
  const instruction = code[at]
  if (instruction?.op === 'jump') return settle(code, instruction.to, thread)
  if (instruction?.op === 'branch')
    return `if :: r${instruction.register} == ${instruction.equals} -> ${settle(code, at + 1, thread)} :: else -> ${settle(code, instruction.otherwise, thread)} fi`
  if (instruction?.op === 'assert')
    return `assert(r${instruction.register} != ${instruction.equals}); ${settle(code, at + 1, thread)}`
  return `goto ${label(code, at, thread)}`
}

/** A way in which a step can be taken. */
interface Way {
  readonly guard: string
  readonly effect: string
  /** Where it leads; else to the next instruction. */
  readonly to?: number
}

const ARRAYS = { plain: 'plain', volatile: 'loud', published: 'shown', atomic: 'atomics' } as const

/** @param at number of the instruction */
function steps(i: Instruction, thread: number, at: number): Way[] {
  const me = thread + 1
  const bit = 1 << thread
  const hold = 1 << (2 * thread) // a thread may hold a lock for reading twice
  const always = (effect: string): Way[] => [{ guard: 'true', effect }]
  switch (i.op) {
    case 'load':
      return always(`r${i.register} = ${ARRAYS[i.space]}[${i.variable}];`)
    case 'store':
      return always(`${ARRAYS[i.space]}[${i.variable}] = ${i.value ?? `r${i.register}`};`)
    case 'add':
      return always(
        `atomics[${i.variable}] = (atomics[${i.variable}] + 1) % 4; r${i.register} = atomics[${i.variable}];`,
      )
    case 'spin':
      return [
        { guard: `loud[${i.variable}] != ${i.equals}`, effect: 'skip;' },
        { guard: `loud[${i.variable}] == ${i.equals}`, effect: 'skip;', to: at },
      ]
    case 'storeFlipped':
      return always(`loud[${i.variable}] = r${BEHIND} ^ 1; r${BEHIND} = 0;`)
    case 'addTo':
      return always(`r${i.register} = (r${BEHIND} + loud[${i.variable}]) % 4; r${BEHIND} = 0;`)
    case 'await':
      return [
        {
          guard: `${ARRAYS[i.space]}[${i.variable}] == ${i.equals}`,
          effect: `${ARRAYS[i.space]}[${i.variable}] = ${i.set};`,
        },
      ]
    case 'awaitBoth':
      return [
        {
          guard: `atomics[${i.variable}] == ${i.equals} && loud[0] == ${i.other}`,
          effect: `atomics[${i.variable}] = ${i.set};`,
        },
      ]
    case 'acquire':
      return [{ guard: `mutexes[${i.lock}] == 0`, effect: `mutexes[${i.lock}] = ${me};` }]
    case 'release':
      return always(`mutexes[${i.lock}] = 0;`)
    case 'try':
      return [
        { guard: `mutexes[${TRIED}] == 0`, effect: `mutexes[${TRIED}] = ${me};` },
        { guard: `mutexes[${TRIED}] != 0`, effect: 'skip;', to: i.otherwise },
      ]
    case 'read':
      return [{ guard: `writers[${i.lock}] == 0`, effect: `readers[${i.lock}] = readers[${i.lock}] + ${hold};` }]
    case 'want':
      return [{ guard: `writers[${i.lock}] == 0`, effect: `writers[${i.lock}] = ${me};` }]
    case 'drain':
      return [{ guard: `readers[${i.lock}] == 0`, effect: 'skip;' }]
    case 'endRead':
      return always(`readers[${i.lock}] = readers[${i.lock}] - ${hold};`)
    case 'endWrite':
      return always(`writers[${i.lock}] = 0;`)
    case 'assertWait':
      return always(`sleepers[${i.channel}] = sleepers[${i.channel}] | ${bit};`)
    case 'block':
      return [{ guard: `(sleepers[${i.channel}] & ${bit}) == 0`, effect: 'skip;' }]
    case 'wakeAll':
      return always(`sleepers[${i.channel}] = 0;`)
    case 'wakeOne':
      return [0, 1, 2]
        .map((other): Way => ({
          guard: `(sleepers[${i.channel}] & ${1 << other}) != 0`,
          effect: `sleepers[${i.channel}] = sleepers[${i.channel}] & ${255 - (1 << other)};`,
        }))
        .concat({ guard: `sleepers[${i.channel}] == 0`, effect: 'skip;' })
    case 'choose':
      return [0, 1].map((taken) => ({ guard: 'true', effect: `r${i.register} = ${taken};` }))
    case 'allocate':
      return [
        { guard: 'true', effect: `r${i.register} = 0;` },
        { guard: `stored < ${SIZES.storage}`, effect: `stored++; r${i.register} = 1;` },
        { guard: `stored == ${SIZES.storage}`, effect: `r${i.register} = 0;` },
      ]
    case 'result':
      return always(`results[${thread}] = r0 * 4 + r1;`)
    case 'pick':
      return Array.from({ length: SIZES.pages }, (_, page) => ({ guard: 'true', effect: `p = ${page + 1};` }))
    case 'look':
      return always('p = board;')
    case 'show':
      return always('board = p;')
    case 'lose':
      return always('p = 0;')
    case 'mark':
      return [
        { guard: 'p == 0', effect: 'skip;' },
        { guard: 'p != 0', effect: `values[p - 1] = ${i.value}; owners[p - 1] = ${me};` },
      ]
    case 'readPage':
      return [
        { guard: 'p == 0', effect: `r${i.register} = 0;` },
        { guard: 'p != 0', effect: `r${i.register} = values[p - 1];` },
      ]
    case 'mine':
      return [
        { guard: 'p == 0', effect: `r${i.register} = 0;` },
        { guard: 'p != 0', effect: `r${i.register} = (owners[p - 1] == ${me} -> 1 : 0);` },
      ]
    default:
      return always('skip;')
  }
}

/** What SPIN says of a program. */
export interface SpinOutcome {
  readonly fault: boolean
  /** Whether threads stand still forever somewhere, no one being able to move. */
  readonly stuck: boolean
  /** States stored. */
  readonly states: number
}

/** Whether SPIN and a C compiler are installed. */
export async function hasSpin(): Promise<boolean> {
  return run('spin', ['-V']).then(
    () =>
      run('gcc', ['--version']).then(
        () => true,
        () => false,
      ),
    () => false,
  )
}

/** Runs SPIN on a program, through all its states whatever it finds, without its partial-order reduction. */
export async function spin(program: GeneratedProgram): Promise<SpinOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'vmcheck-spin-'))
  try {
    const text = printPromela(program)
    await writeFile(join(folder, 'model.pml'), text)
    await run('spin', ['-o1', '-o2', '-o3', '-a', 'model.pml'], { cwd: folder })
    await run('gcc', ['-O0', '-DNOREDUCE', '-DSAFETY', '-o', 'pan', 'pan.c'], { cwd: folder })
    const { stdout } = await run('./pan', ['-m100000', '-c0', '-n'], { cwd: folder, maxBuffer: 1 << 26 })
    const states = /(\d+) states, stored/.exec(stdout)
    if (!states) throw new Error(`SPIN says nothing of states:\n${stdout}\n${text}`)
    return {
      fault: /pan:\d+: assertion violated/.test(stdout),
      stuck: /pan:\d+: invalid end state/.test(stdout),
      states: Number(states[1]),
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}
