// Where vmcheck's own files lie. No other file computes that: this one finds them from wherever it is packed to.
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const HERE = fileURLToPath(import.meta.url)

/** The nearest folder above this file that is a package's: the checkout, or `node_modules/vmcheck`. */
function packageFolder(): string {
  let folder = dirname(HERE)
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** The package's folder. */
const ROOT = packageFolder()

/** How the files end that run: `.js` when built, `.ts` where Node takes the types out by itself. */
const ENDING = extname(HERE)

/** Folder with the files that run, which has `src`, `checks` and `workers` in it. */
const RUNNING = ENDING === '.ts' ? ROOT : join(ROOT, 'dist')

/** Folder of the sources that run. */
export const SOURCES = join(RUNNING, 'src')

/** Folders whose files make up what vmcheck is: a digest over them tells builds apart. */
export const OWN_FOLDERS: readonly string[] = [SOURCES, join(RUNNING, 'checks'), join(RUNNING, 'workers')]

/** Folder of the simulated machine, as it runs. */
export const VM = join(SOURCES, 'vm')

/** The simulated machine's folders: as it runs, and as it was written. */
export const VM_FOLDERS: readonly string[] = [VM, join(ROOT, 'src', 'vm')]

/** The entry of the simulated machine, as it runs. */
export const VM_ENTRY = join(VM, `index${ENDING}`)

/** Folder of what the build packs into few files. */
export const PACKED = join(SOURCES, 'packed')

/** The file that the build writes the lowered files of the simulated machine to. */
export const SHIPPED = join(SOURCES, 'lowered.json')

/** The script of report pages, as the build packs it. */
export const PAGE_SCRIPT = join(PACKED, 'page.js')

/** Folder of what `vmcheck init` writes. */
export const INIT_TEMPLATE = join(ROOT, 'templates', 'init')

/** The command's worker thread. */
export const COMMAND_THREAD = pathToFileURL(
  existsSync(join(PACKED, 'command-thread.js'))
    ? join(PACKED, 'command-thread.js')
    : join(SOURCES, 'cli', `command-thread${ENDING}`),
)

/** The file of `workers` that a thread runs: packed where the build did that, for a hundred small files take as long to load as a thread to start. */
export function workerEntry(name: string): URL {
  const packed = join(PACKED, `${name}.js`)
  return pathToFileURL(ENDING === '.js' && existsSync(packed) ? packed : join(RUNNING, 'workers', `${name}${ENDING}`))
}

/** The package's version. */
export function version(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version
}

/** The published schema of reports. */
export function reportSchema(): object {
  return JSON.parse(readFileSync(join(ROOT, 'schema', 'report-1.schema.json'), 'utf8')) as object
}

/** Folder where lowered files are cached: `VMCHECK_CACHE`, `off` for none; else `vmcheck` in the user's folder for such things. */
export function usualCache({ VMCHECK_CACHE, XDG_CACHE_HOME }: NodeJS.ProcessEnv): string | null {
  if (VMCHECK_CACHE === 'off') return null
  return VMCHECK_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'vmcheck')
}
