// Writes docs/reference.md from the docstrings of the public entries: node dist/scripts/reference.js
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Comment, parseSync } from 'oxc-parser'

/** The document that is written. */
export const REFERENCE = 'docs/reference.md'

/** The public entries, and what each is for. */
const ENTRIES: readonly (readonly [name: string, declarations: string, about: string])[] = [
  ['vmcheck', 'dist/src/index.d.ts', 'The functions and types that models are written with ([models.md](models.md)).'],
  [
    'vmcheck/vm',
    'dist/src/vm/index.d.ts',
    'The primitives of the simulated machine ([models.md](models.md), “Primitives”).',
  ],
  ['vmcheck/checks', 'dist/checks/index.d.ts', 'The checks, one object each.'],
  ['vmcheck/explore', 'dist/src/session/index.d.ts', 'Exploring from tests and tools ([testing.md](testing.md)).'],
  ['vmcheck/config', 'dist/src/config/index.d.ts', 'The entry for a `vmcheck.config.ts` ([ci.md](ci.md)).'],
]

/** A node of a syntax tree, as far as it is looked at. */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

/** A file of declarations. */
interface Declarations {
  readonly path: string
  readonly text: string
  readonly body: readonly Node[]
  readonly comments: readonly Comment[]
}

/** One exported thing: where it is declared. */
export interface Exported {
  readonly name: string
  /** Whether only its type is exported: it is made by others. */
  readonly isType: boolean
  readonly node: Node
  readonly file: Declarations
}

/** What a docstring says. */
interface Docstring {
  readonly text: string
  readonly parameters: readonly string[]
  readonly returns: string | null
  readonly throws: string | null
  readonly example: string | null
}

const EMPTY: Docstring = { text: '', parameters: [], returns: null, throws: null, example: null }

function declarations(path: string): Declarations {
  const text = readFileSync(path, 'utf8')
  const { program, comments } = parseSync(path, text)
  return { path, text, body: program.body as unknown as Node[], comments }
}

/** What an entry exports, in the order in which it does. */
export function exportsOf(path: string): Exported[] {
  const file = declarations(path)
  return file.body.flatMap((node): Exported[] => {
    if (node.type !== 'ExportNamedDeclaration') return []
    const { source, declaration } = node as Node & { source: { value: string } | null; declaration: Node | null }
    if (declaration) return declared(declaration).map((name) => ({ name, isType: false, node, file }))
    const specifiers = node['specifiers'] as {
      exported: { name: string }
      local: { name: string }
      exportKind: string
    }[]
    const from = source ? declarations(join(dirname(path), source.value.replace(/\.ts$/, '.d.ts'))) : file
    return specifiers.flatMap(({ local, exported, exportKind }) =>
      find(from, local.name).map((one) => ({ ...one, name: exported.name, isType: exportKind === 'type' })),
    )
  })
}

/** Where a name is declared: in a file, or in one that it is imported from. */
function find(file: Declarations, name: string): Exported[] {
  const found = file.body.find((node) => declared((node['declaration'] as Node | null) ?? node).includes(name))
  if (found) return [{ name, isType: false, node: found, file }]
  for (const node of file.body) {
    const specifiers = (node['specifiers'] ?? []) as { local?: { name: string }; exported?: { name: string } }[]
    if (!specifiers.some(({ local, exported }) => local?.name === name || exported?.name === name)) continue
    const source = (node['source'] as { value: string } | null)?.value
    if (source?.startsWith('.'))
      return find(declarations(join(dirname(file.path), source.replace(/\.ts$/, '.d.ts'))), name)
  }
  return []
}

function declared(node: Node): string[] {
  if (node.type === 'VariableDeclaration')
    return (node['declarations'] as { id: { name: string } }[]).map(({ id }) => id.name)
  const id = node['id'] as { name?: string } | null | undefined
  return id?.name ? [id.name] : []
}

/** The docstring that ends right before a node. */
function docstring({ text, comments }: Declarations, start: number): Docstring {
  const comment = comments.findLast(
    ({ type, end, value }) =>
      type === 'Block' && value.startsWith('*') && end <= start && text.slice(end, start).trim() === '',
  )
  if (!comment) return EMPTY
  const [description = '', ...tags] = comment.value
    .slice(1)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()
    .split(/^@/m)
  const of = (tag: string): string[] =>
    tags
      .filter((one) => one.startsWith(`${tag} `) || one.startsWith(`${tag}\n`))
      .map((one) => one.slice(tag.length).trim())
  const plain = (words: string): string =>
    words
      .replace(/\{@link (\S+?)\}/g, '`$1`')
      .replace(/\s*\n\s*/g, ' ')
      .trim()
  return {
    text: plain(description),
    parameters: of('param').map(plain),
    returns: of('returns').map(plain)[0] ?? null,
    throws: of('throws').map(plain)[0] ?? null,
    example: of('example')[0] ?? null,
  }
}

/** Code without comments and private members, on as few lines as it has. */
function code({ text, comments }: Declarations, { start, end }: Node): string {
  let out = ''
  let at = start
  for (const comment of comments) {
    if (comment.start < at || comment.end > end) continue
    out += text.slice(at, comment.start)
    at = comment.end
  }
  return (out + text.slice(at, end))
    .replace(/^export (declare )?/, '')
    .replace(/^\s*#private;\n/m, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .join('\n')
}

/** A table's cell. */
function cell(words: string): string {
  return words.replace(/\s+/g, ' ').replaceAll('|', String.raw`\|`)
}

function paragraphs({ text, parameters, returns, throws, example }: Docstring): string[] {
  return [
    text,
    ...parameters.map((one) => `- \`${one.split(' ')[0]}\`: ${one.split(' ').slice(1).join(' ')}`),
    ...(returns === null ? [] : [`Returns ${returns}.`]),
    ...(throws === null ? [] : [`Throws ${throws}.`]),
    ...(example === null ? [] : [`\`\`\`ts\n${example}\n\`\`\``]),
  ].filter((one) => one !== '')
}

/** A member's row: what it is, and what its docstring says. */
function row(file: Declarations, member: Node): string {
  const { text, parameters, returns, throws } = docstring(file, member.start)
  const says = [
    text,
    ...parameters.map((one) => `\`${one.split(' ')[0]}\`: ${one.split(' ').slice(1).join(' ')}.`),
    ...(returns === null ? [] : [`Returns ${returns}.`]),
    ...(throws === null ? [] : [`Throws ${throws}.`]),
  ]
  const shown = code(file, member)
    .replace(/;$/, '')
    .replace(/^readonly /, '')
    .replace(/^(static )?get (\w+)\(\)/, '$1$2')
  return `| \`${cell(shown)}\` | ${cell(says.join(' '))} |`
}

/** Members of a class or an interface that are not private. */
function membersOf(declaration: Node): Node[] {
  const { body } = declaration['body'] as { body: Node[] }
  return body.filter(
    ({ type, key }) =>
      type !== 'TSAbstractPropertyDefinition' && (key as Node | undefined)?.type !== 'PrivateIdentifier',
  )
}

const KINDS: Readonly<Record<string, string>> = {
  ClassDeclaration: 'class',
  TSInterfaceDeclaration: 'interface',
  TSTypeAliasDeclaration: 'type',
  VariableDeclaration: 'value',
}

/** The section of one exported thing. */
function section({ name, isType, node, file }: Exported): string {
  const declaration = (node['declaration'] as Node | null) ?? node
  const kind = KINDS[declaration.type] ?? 'function'
  const head = `### ${name} (${kind})`
  const says = paragraphs(docstring(file, node.start))
  if (kind !== 'class' && kind !== 'interface')
    return [head, ...says.slice(0, 1), `\`\`\`ts\n${code(file, node)}\n\`\`\``, ...says.slice(1)].join('\n\n')
  const members = membersOf(declaration)
  const made = members.filter((member) => member['kind'] === 'constructor')
  const rest = members.filter((member) => !made.includes(member))
  const constructors = (isType ? [] : made).map((member) =>
    code(file, member)
      .replace(/^constructor/, `new ${name}`)
      .replace(/;$/, ''),
  )
  return [
    head,
    ...says,
    ...constructors.map((text) => `\`\`\`ts\n${text}\n\`\`\``),
    ...(isType ? [] : made).flatMap((member) => paragraphs(docstring(file, member.start))),
    ...(rest.length === 0
      ? []
      : [['| member | |', '| --- | --- |', ...rest.map((member) => row(file, member))].join('\n')]),
  ].join('\n\n')
}

/** Everything that the public entries export, by entry. */
export function publicExports(root: string): ReadonlyMap<string, readonly Exported[]> {
  return new Map(ENTRIES.map(([name, path]) => [name, exportsOf(join(root, path))]))
}

/** What a docstring of an exported thing says first; nothing where it has none. */
export function summary({ node, file }: Exported): string {
  return docstring(file, node.start).text
}

/** The text of the document. */
export function referenceText(root: string): string {
  const all = publicExports(root)
  const parts = ENTRIES.map(([name, , about]) =>
    [`## ${name}`, about, ...(all.get(name) ?? []).map(section)].join('\n\n'),
  )
  return `# Reference

Everything that vmcheck's entries export, made from the docstrings in its code by \`npm run reference\`. Numbers without a unit
are counts.

${parts.join('\n\n')}
`
}

const ROOT = resolve(fileURLToPath(import.meta.url), '..', '..', '..')
if (existsSync(process.argv[1] ?? '') && resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url))
  await writeFile(join(ROOT, REFERENCE), referenceText(ROOT))
