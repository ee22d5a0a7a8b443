// Every scenario of every model comes out as it says it does.
import assert from 'node:assert/strict'
import test from 'node:test'
import { gate } from 'vmcheck/explore'

const { results } = await gate()
for (const { file, scenario, differences } of results)
  test(`${file} ${scenario}`, () => assert.deepEqual(differences, []))
