// The large scenarios of every model: `npm run test:large`. Ends with status 1 if one differs from what is expected.
import { modelFiles } from '../../src/session/model-files.ts'
import type { Expectation } from '../../src/model/model.ts'
import { exploreFile, loadOnce } from '../harness/run.ts'

let differ = 0
for (const path of await modelFiles('models', process.cwd())) {
  const { model } = await loadOnce(path)
  for (const [scenario, { expect, large }] of model.scenarios) {
    if (!large) continue
    const { verdict, property, states } = expect as Exclude<Expectation, string>
    const report = await exploreFile(path, { scenario, workers: 2 })
    const found = report.violations[0]
    const isSame =
      (found?.kind ?? report.verdict) === verdict &&
      (!property || found?.property === property) &&
      report.stats.states === states
    if (!isSame) differ++
    console.log(
      `${isSame ? 'as expected' : 'DIFFERS'}  ${path} ${scenario}: ${found?.kind ?? report.verdict}, ${report.stats.states.toLocaleString('en-US')} states, ${report.stats.seconds.toFixed(1)} s`,
    )
  }
}
process.exitCode = differ === 0 ? 0 : 1
