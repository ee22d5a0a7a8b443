import type { Check } from '../src/index.ts'

/** `m.atRest`: holds whenever every actor that must finish has finished. */
export const atRest: Check = {
  name: 'at-rest',
  about: 'at-rest properties hold once every actor has finished',
  occasions: ['rest'],
  needs: 'at-rest',
  state(state) {
    return state.properties.flatMap((property) => {
      if (property.form !== 'at-rest') return []
      const holds = state.evaluate(property)
      if (holds === true) return []
      const { name } = property
      return [
        {
          kind: 'at-rest' as const,
          property: name,
          message: `"${name}" does not hold at rest${holds === false ? '' : `: ${holds}`}`,
        },
      ]
    })
  },
}
