// Right: assertion, as with `--reduce none`: actors are told apart by `find` over an ordered list.
import { model, struct, u4, when, actors, setOf } from 'vmcheck'
const S = struct<{ gate: number; who: number }>('s', { gate: u4, who: setOf(actors) })
export default model({
  title: 'lowest bit of a set of actors',
  scenarios: { right: { expect: 'assertion' } },
  machine(m) {
    const s = m.struct(S, 's')
    const all = m.cpus(
      4,
      () =>
        function* p() {
          yield* when(
            () => s.gate < 2,
            () => {
              s.gate++
              s.who |= 1 << m.self.id
            },
          )
          const first = yield* when(
            () => s.gate === 2,
            () => m.actors.find((a) => (s.who >> a.id) & 1)!,
          )
          m.assert(first !== m.self || all.indexOf(first) !== 2, 'third is never the lowest of two')
        },
      { daemon: true },
    )
  },
})
