// Right: assertion, as with `--reduce none`: actors are told apart by `m.self.id`.
import { model, struct, u4, when } from 'vmcheck'
const S = struct<{ gate: number }>('s', { gate: u4 })
export default model({
  title: 'm.self.id read',
  scenarios: { right: { expect: 'assertion' } },
  machine(m) {
    const s = m.struct(S, 's')
    m.cpus(
      4,
      () =>
        function* p() {
          yield* when(
            () => s.gate === 0,
            () => {
              s.gate = 1
            },
          )
          yield* when(
            () => true,
            () => {
              s.gate = 2
            },
          )
          m.assert(m.self.id !== 1, 'the second is never first')
        },
      { daemon: true },
    )
  },
})
