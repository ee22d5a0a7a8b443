import type { Actor, Check, Finding, Race } from '../src/index.ts'

function ordinary({ actors: [a, b], field, writes }: Race): Finding {
  const does = (actor: Actor, isWrite: boolean): string => `${actor.label} ${isWrite ? 'writes' : 'reads'} ${field}`
  return {
    kind: 'data-race',
    property: field,
    race: { field, actors: [a.id, b.id] },
    message: `${does(a, writes[0])} while ${b.label} ${writes[1] ? 'writes' : 'reads'} it, and no lock orders the two`,
  }
}

/** Whoever writes the cell that tells of an instance's life frees (or allocates) it; the other uses it. */
function life({ actors: [a, b], field, writes }: Race, instance: string): Finding {
  const [freer, user] = writes[0] ? [a, b] : [b, a]
  const other = writes[0] && writes[1] ? 'frees it, too' : 'uses it'
  return {
    kind: 'use-after-free',
    property: instance,
    race: { field, actors: [a.id, b.id] },
    message: `${freer.label} frees ${instance} while ${user.label} ${other}, and no lock orders the two`,
  }
}

/** Two plain accesses to one field, at least one a write, with nothing to order them. A race with a free is a use after free. */
export const dataRace: Check = {
  name: 'data-race',
  about: 'conflicting plain accesses are ordered by locks',
  occasions: ['race'],
  state: (state) => state.races().map((race) => (race.lifeOf === null ? ordinary(race) : life(race, race.lifeOf))),
}
