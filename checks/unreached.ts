import type { Check, PropertyForm } from '../src/index.ts'

/** The check that evaluates each form of property; `within` is no property that could fail. */
const CHECK_OF: Readonly<Record<Exclude<PropertyForm, 'within'>, string>> = {
  always: 'invariant',
  'when-free': 'invariant',
  'at-rest': 'at-rest',
  sometimes: 'unreached',
}

/** Against vacuity: properties that were never evaluated, and `m.sometimes` that never held. */
export const unreached: Check = {
  name: 'unreached',
  about: 'every property is evaluated, and what should sometimes hold does',
  evaluates: ['sometimes'],
  end: (properties, active) =>
    properties.flatMap(({ property, evaluated, met }) => {
      const { name, form } = property
      if (form === 'within' || !active.some((check) => check.name === CHECK_OF[form])) return []
      if (form === 'sometimes')
        return met
          ? []
          : [{ kind: 'unreached' as const, property: name, message: `"${name}" held in no reachable state` }]
      const why =
        form === 'at-rest'
          ? 'no reachable state is at rest (a daemon that polls in a loop never rests: let it wait by when(...))'
          : 'no reachable state or step asks for it'
      return evaluated
        ? []
        : [{ kind: 'unreached' as const, property: name, message: `"${name}" was never evaluated: ${why}` }]
    }),
}
