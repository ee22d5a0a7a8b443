#!/usr/bin/env node
// a working folder that was deleted is found out before anything asks for it
try {
  process.cwd()
} catch {
  process.stderr.write('vmcheck: the working folder does not exist any more: change to another one\n')
  process.exit(2)
}
try {
  await import('../dist/src/packed/vmcheck.js')
} catch (error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !error.url?.includes('/dist/src/packed/')) throw error
  process.stderr.write('vmcheck: it is not built, or only in part: run npm run build in its folder\n')
  process.exit(2)
}
