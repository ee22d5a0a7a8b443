import { UsageError } from './usage-error.ts'

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }

/**
 * Bytes of a size such as `500MB`.
 * @throws UsageError
 */
export function memorySize(text: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text)
  const size = found ? Number(found[1]) * (UNITS[(found[2] ?? '').toLowerCase()] ?? NaN) : NaN
  if (!(size >= 1)) throw new UsageError('--memory takes a size such as 500MB or 4GB')
  return size
}
