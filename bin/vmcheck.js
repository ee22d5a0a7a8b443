#!/usr/bin/env node
// a working folder that was deleted is found out before anything asks for it
try {
  process.cwd()
} catch {
  process.stderr.write('vmcheck: the working folder does not exist any more: change to another one\n')
  process.exit(2)
}
await import('../dist/src/packed/vmcheck.js')
