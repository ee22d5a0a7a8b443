import { cleaned } from '../source/texts.ts'

/** The same with every text in it as a terminal or page may show it. */
export function clean<T>(value: T): T {
  if (typeof value === 'string') return cleaned(value) as T
  if (Array.isArray(value)) return value.map(clean) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inside]) => [cleaned(key), clean(inside as unknown)])) as T
}
