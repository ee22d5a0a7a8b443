import type { Check } from '../src/model/index.ts'

/** Against vacuity: properties that were never evaluated, and `m.sometimes` that never held. */
export const unreached: Check = {
  name: 'unreached',
  about: 'every property is evaluated, and what should sometimes hold does',
  state: (state) => {
    for (const property of state.properties) if (property.form === 'sometimes') state.evaluate(property)
    return []
  },
  end: (properties) =>
    properties.flatMap(({ property, evaluations, met }) => {
      const { name, form } = property
      if (form === 'sometimes') return met ? [] : [{ kind: 'unreached' as const, property: name, message: `"${name}" held in no reachable state` }]
      return evaluations > 0 ? [] : [{ kind: 'unreached' as const, property: name, message: `"${name}" was never evaluated: no reachable state or step asks for it` }]
    }),
}
