import { defineConfig } from 'vmcheck/config'

export default defineConfig({
  paths: ['models'],
  // for every scenario: end inconclusive rather than run for ever
  search: { time: 60 },
  // for some of them: { match: 'models/large.ts#*', time: 600 }
  overrides: [],
})
