import type { Field } from '../model/field.ts'
import type { Memory } from '../model/memory.ts'

/** In a log: the value is the number of an object. */
export const OBJECT = -1

/** The ways in which the values of a machine's fields name things; numbered, as logs of virtual points keep them. */
export interface Namings {
  /** By field id: the number of its naming; 0: it names nothing. */
  readonly numbers: readonly number[]
  /** By number of a naming: some field that names in this way. */
  readonly examples: readonly (Field | null)[]
}

/** Numbers the namings of a machine's fields: fields share one if they name things of the same list in the same form. */
export function namingsOf({ fields }: Memory): Namings {
  const examples: (Field | null)[] = [null]
  const numbers = fields.map((field) => {
    const { names } = field.type
    if (!names) return 0
    const target = names.target()
    const known = examples.findIndex((example) => example?.type.names?.form === names.form && example.type.names.target() === target)
    return known > 0 ? known : examples.push(field) - 1
  })
  return { numbers, examples }
}
