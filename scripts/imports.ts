// Whether every import runs in an allowed direction: node dist/scripts/imports.js [FOLDER]
import { existsSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { dirname, join, normalize, relative, resolve } from 'node:path'
import { parseSync } from 'oxc-parser'
import { ROOMS, type Room } from './rooms.ts'

/** Folders that have code in them. */
const FOLDERS = ['src', 'checks', 'workers', 'models', 'scripts', 'test', 'bench']

/** What the public entries are called by those who use them as users do. */
const PUBLIC: Readonly<Record<string, string>> = {
  vmcheck: 'src/index.ts',
  'vmcheck/vm': 'src/vm/index.ts',
  'vmcheck/checks': 'checks/index.ts',
  'vmcheck/config': 'src/config/index.ts',
  'vmcheck/explore': 'src/session/index.ts',
}

/** An import, whatever its form, and whether of a type or a value. */
interface Import {
  /** The importing file, from the root. */
  readonly file: string
  readonly line: number
  /** What is imported, as written. */
  readonly name: string
}

/** What is wrong with the imports of a tree: one line each, `file:line: what`. */
export async function wrongImports(root: string): Promise<string[]> {
  const wrong = wrongTable()
  for (const file of await sources(root)) {
    const text = await readFile(join(root, file), 'utf8')
    for (const each of importsOf(file, text)) {
      const problem = problemOf(each, root)
      if (problem !== null) wrong.push(`${each.file}:${each.line}: ${problem}`)
    }
  }
  return wrong
}

/** What is wrong with the table itself: a room that imports one which is not before it. */
function wrongTable(): string[] {
  return ROOMS.flatMap(({ path, imports }, i) =>
    imports
      .filter((name) => name !== '*' && !ROOMS.slice(0, i).some((room) => room.path === name))
      .map((name) => `scripts/rooms.ts:1: ${path} lists ${name}, which is not before it`),
  )
}

async function sources(root: string): Promise<string[]> {
  const found: string[] = []
  for (const folder of FOLDERS) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const path = relative(root, join(entry.parentPath, entry.name))
      if (entry.isFile() && /\.tsx?$/.test(entry.name) && !path.includes('node_modules')) found.push(path)
    }
  }
  return found.toSorted()
}

/** The room of a file: the one with the longest path. */
function roomOf(file: string): Room | null {
  const rooms = ROOMS.filter(({ path }) => file === path || file.startsWith(`${path}/`))
  return rooms.toSorted((a, b) => b.path.length - a.path.length)[0] ?? null
}

function problemOf({ file, name }: Import, root: string): string | null {
  const room = roomOf(file)
  if (!room) return 'the file is in no room: add its folder to scripts/rooms.ts'
  const target = targetOf(file, name, root)
  if (target === null) {
    const { packages } = room
    return !packages || packages.some((pattern) => matches(pattern, name))
      ? null
      : `${room.path} may not import ${name}`
  }
  const other = roomOf(target)
  if (!other) return `${target} is in no room`
  if (other === room) return null
  const earlier = ROOMS.indexOf(other) < ROOMS.indexOf(room)
  const allowed = room.imports.includes(other.path) || (room.imports.includes('*') && earlier)
  return allowed ? null : `${room.path} may not import ${other.path} (${name})`
}

/** The file that an import means, from the root; null: a package's. */
function targetOf(file: string, name: string, root: string): string | null {
  const entry = PUBLIC[name]
  if (entry !== undefined) return entry
  if (!name.startsWith('.')) return null
  const path = normalize(join(dirname(file), name))
  const source = [path, path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx')].find((one) =>
    existsSync(join(root, one)),
  )
  return source ?? path
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

/** Kinds of syntax that name a module. */
const NAMING = [
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
]

function importsOf(file: string, text: string): Import[] {
  const { program, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0]?.message}`)
  const found: Import[] = []
  const visit = (node: unknown): void => {
    if (node === null || typeof node !== 'object') return
    if (Array.isArray(node)) return node.forEach(visit)
    const { type, source, start } = node as { type?: string; source?: { value?: unknown } | null; start?: number }
    if (type !== undefined && NAMING.includes(type) && typeof source?.value === 'string')
      found.push({ file, line: text.slice(0, start).split('\n').length, name: source.value })
    for (const value of Object.values(node)) visit(value)
  }
  visit(program)
  return found
}

if (resolve(process.argv[1] ?? '') === import.meta.filename) {
  const wrong = await wrongImports(resolve(process.argv[2] ?? '.'))
  for (const line of wrong) process.stderr.write(`${line}\n`)
  process.exitCode = wrong.length > 0 ? 1 : 0
}
