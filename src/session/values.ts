import { UsageError } from '../source/usage-error.ts'

/**
 * A whole number given as an option, or the usual one.
 * @throws UsageError when it is none or out of range
 */
export function whole(name: string, value: number | undefined, usual: number, min: number, max: number): number {
  if (value === undefined) return usual
  if (!Number.isInteger(value) || value < min || value > max)
    throw new UsageError(`${name} takes a whole number${max === Infinity ? ` from ${min}` : ` from ${min} to ${max}`}`)
  return value
}

/**
 * A time limit in seconds; Infinity without one.
 * @throws UsageError
 */
export function seconds(name: string, value: number | undefined): number {
  if (value === undefined) return Infinity
  if (!(value > 0)) throw new UsageError(`${name} takes a number of seconds above 0`)
  return value
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }

/**
 * Bytes of a size such as `500MB`.
 * @throws UsageError
 */
export function memorySize(name: string, text: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text)
  const size = found ? Number(found[1]) * (UNITS[(found[2] ?? '').toLowerCase()] ?? NaN) : NaN
  if (!(size >= 1)) throw new UsageError(`${name} takes a size such as 500MB or 4GB`)
  return size
}
