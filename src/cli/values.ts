import { UsageError } from '../session/usage-error.ts'

/**
 * A whole number given as an option, or the fallback.
 * @throws UsageError when it is none or out of range
 */
export function whole(option: string, value: number | undefined, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new UsageError(
      `${option} takes a whole number${max === Infinity ? ` from ${min}` : ` from ${min} to ${max}`}`,
    )
  }
  return value
}

/**
 * A time limit; Infinity without one.
 * @throws UsageError
 */
export function seconds(value: number | undefined): number {
  if (value === undefined) return Infinity
  if (!(value > 0)) throw new UsageError('--time takes a number of seconds above 0')
  return value
}
