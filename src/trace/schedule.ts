import type { Count } from '../source/quantities.ts'
/** One step of a schedule: who, and the alternatives taken. */
export interface ScheduledStep {
  readonly actor: Count
  readonly choices: readonly Count[]
}

/** Steps of a schedule at most. */
const MAX_STEPS = 1_000_000

const STEP = /(\d+)(?:\.([\d.]+))?(?:x(\d+))?/y

/**
 * A schedule as one short string: `v1:` and the actors' numbers, `x` a repetition, `.` the alternatives taken in a step,
 * steps separated by commas: `v1:0x3,1.0.1,0`.
 */
export function formatSchedule(schedule: readonly ScheduledStep[]): string {
  const parts: string[] = []
  let last = ''
  let count = 0
  const flush = (): void => {
    if (count > 0) parts.push(count > 1 ? `${last}x${count}` : last)
  }
  for (const { actor, choices } of schedule) {
    const text = [actor, ...choices].join('.')
    if (text === last) count++
    else {
      flush()
      last = text
      count = 1
    }
  }
  flush()
  return `v1:${parts.join(',')}`
}

/**
 * Reads a schedule back.
 * @throws SyntaxError with the position of what is wrong
 */
export function parseSchedule(text: string): ScheduledStep[] {
  if (!text.startsWith('v1:')) throw new SyntaxError('a schedule starts with "v1:"')
  const steps: ScheduledStep[] = []
  for (let at = 3; at < text.length;) {
    STEP.lastIndex = at
    const found = STEP.exec(text)
    if (!found) throw new SyntaxError(`unreadable schedule at character ${at + 1}`)
    const [whole, actor, choices, repeat] = found
    const step = { actor: Number(actor), choices: choices ? choices.split('.').map(Number) : [] }
    const count = Number(repeat ?? 1)
    if (steps.length + count > MAX_STEPS)
      throw new SyntaxError(`more than ${MAX_STEPS.toLocaleString('en')} steps, at character ${at + 1}`)
    for (let i = count; i > 0; i--) steps.push(step)
    at += whole.length
    if (at < text.length && text[at] !== ',') throw new SyntaxError(`unreadable schedule at character ${at + 1}`)
    at++
  }
  return steps
}
