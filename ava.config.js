// Tests of one file run one after another, for many take both cores for a while. Two halves of the files run beside each
// other; alone run those that measure time, or fill a small machine with threads. TESTS says which; without it all run,
// one file after another.
const GROUPS = {
  first: ['gate', 'lowering', 'page', 'reductions', 'reports', 'show', 'spin', 'symmetry', 'symmetry-breaking'],
  alone: ['checkpoint', 'cli', 'isolation', 'live', 'live-cli', 'threads'],
}
const ALL = 'dist/test/**/*.test.js'
const of = (names) => names.map((name) => `dist/test/${name}.test.js`)
const FILES = {
  ...Object.fromEntries(Object.entries(GROUPS).map(([group, names]) => [group, of(names)])),
  second: [ALL, ...of(Object.values(GROUPS).flat()).map((file) => `!${file}`)],
}

export default { files: FILES[process.env['TESTS']] ?? [ALL], timeout: '10m', serial: true }
