import type { Check } from '../src/model/index.ts'

/** Two plain accesses to one field, at least one a write, with nothing to order them. */
export const dataRace: Check = {
  name: 'data-race',
  about: 'conflicting plain accesses are ordered by locks',
  occasions: ['race'],
  state: (state) =>
    state.races().map(({ actors: [a, b], field, writes }) => ({
      kind: 'data-race',
      property: field,
      message: `${a.cpu.name} (${a.name}) ${writes[0] ? 'writes' : 'reads'} ${field} while ${b.cpu.name} (${b.name}) ${writes[1] ? 'writes' : 'reads'} it, and no lock orders the two`,
    })),
}
