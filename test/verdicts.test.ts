import test from 'ava'
import { exploreText, modelText } from './run.ts'
import { TWINS } from './twins.ts'

for (const [name, { broken, fixed, kind, says, steps, stuck, outside }] of Object.entries(TWINS)) {
  test(`found, and not in its twin: ${name}`, async (t) => {
    const report = await exploreText(modelText(broken, outside))
    const [violation] = report.violations
    t.is(violation?.kind, kind as never, JSON.stringify(report.violations.map(({ message }) => message)))
    t.regex(violation?.message ?? '', says)
    t.is(violation?.schedule.length, steps)
    t.is(violation?.steps.length, steps)
    if (stuck) t.deepEqual(violation?.stuck, stuck)
    const twin = await exploreText(modelText(fixed, outside))
    t.is(twin.verdict, 'pass', twin.violations[0]?.message)
    t.true(twin.exhaustive)
  })
}
