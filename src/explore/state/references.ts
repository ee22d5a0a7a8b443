import type { Naming } from '../../model/field.ts'
import type { Memory } from '../../model/memory.ts'

/** In a log: the value is the number of an object. */
export const OBJECT = -1

/** The ways in which the values of a machine's fields name things; numbered, as logs of virtual points keep them. */
export interface Namings {
  /** By field id: the number of its naming; 0: it names nothing. */
  readonly numbers: readonly number[]
  /** By number. */
  readonly all: readonly (Naming | null)[]
}

/** Numbers the namings of a machine's fields: fields share one if they name things of the same list in the same form. */
export function namingsOf({ fields }: Memory): Namings {
  const all: (Naming | null)[] = [null]
  const numbers = fields.map(({ type: { names } }) => {
    if (!names) return 0
    const known = all.findIndex((naming) => naming?.form === names.form && naming.target() === names.target())
    return known > 0 ? known : all.push(names) - 1
  })
  return { numbers, all }
}
