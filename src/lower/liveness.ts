import type { NodePath, types as t } from '@babel/core'

/** A lexical scope, as Babel knows it. */
type Scope = NodePath['scope']

/** The variables whose liveness is asked for. */
interface Variables {
  readonly names: ReadonlySet<string>
  readonly scope: Scope
}

/** A case of the lowered switch as a node of the control-flow graph. */
interface Block {
  readonly label: number
  /** Variables read before any certain assignment. */
  readonly reads: Set<string>
  /** Variables certainly assigned before any read. */
  readonly writes: Set<string>
  /** Where control may go, each with the variables certainly assigned before it goes there. */
  readonly successors: { readonly label: number; readonly written: ReadonlySet<string> }[]
  /** Regions entered: its own label and those it sets `_context.p` to. */
  readonly regions: Set<number>
}

/**
 * The variables live on entry to each label of a lowered body, from its explicit control flow: constant jumps,
 * fallthrough, the completions `a`, `f` and `d`, and an edge from every block of a try range to its handler and
 * finalizer that ignores what the block assigns (an exception may come first).
 *
 * @param cases the cases of the one `switch`, in order
 * @param context name of the context parameter
 * @param variables names of the function's variables
 * @param scope the scope that declares them: a name that a nested function declares again is another variable
 * @param tries the try table
 */
export function liveness(
  cases: readonly NodePath<t.SwitchCase>[],
  context: string,
  variables: ReadonlySet<string>,
  scope: Scope,
  tries: readonly (readonly (number | undefined)[])[],
): Map<number, Set<string>> {
  const jumps = allJumps(cases, context)
  const blocks = cases.map((path, i) => block(path, cases[i + 1], context, { names: variables, scope }, tries, jumps))
  const live = new Map(blocks.map(({ label }) => [label, new Set<string>()]))
  for (let changed = true; changed;) {
    changed = false
    for (let i = blocks.length - 1; i >= 0; i--) changed = flow(blocks[i] as Block, live, tries) || changed
  }
  return live
}

function flow(
  block: Block,
  live: Map<number, Set<string>>,
  tries: readonly (readonly (number | undefined)[])[],
): boolean {
  const into = live.get(block.label) as Set<string>
  const before = into.size
  for (const name of block.reads) into.add(name)
  for (const { label, written } of block.successors) {
    for (const name of live.get(label) ?? []) if (!written.has(name)) into.add(name)
  }
  for (const [start, handler, finalizer] of tries) {
    for (const region of block.regions) {
      if (start === undefined || region < start) continue
      if (handler !== undefined && region < handler) for (const name of live.get(handler) ?? []) into.add(name)
      if (finalizer !== undefined && region < finalizer) for (const name of live.get(finalizer) ?? []) into.add(name)
    }
  }
  return into.size !== before
}

function labelOf(path: NodePath<t.SwitchCase>): number {
  const { test } = path.node
  if (test?.type !== 'NumericLiteral') throw new UnknownShapeError('a case without a number')
  return test.value
}

function isContext(node: t.Node | null | undefined, context: string, property: string): boolean {
  return (
    node?.type === 'MemberExpression' &&
    node.object.type === 'Identifier' &&
    node.object.name === context &&
    node.property.type === 'Identifier' &&
    node.property.name === property
  )
}

/** Numbers that a target of a jump may be: one, or those of a conditional. */
function constants(node: t.Node | undefined, found: number[] = []): number[] {
  if (node?.type === 'NumericLiteral') found.push(node.value)
  else if (node?.type === 'ConditionalExpression') {
    constants(node.consequent, found)
    constants(node.alternate, found)
  } else throw new UnknownShapeError(`a jump to ${node?.type ?? 'nothing'}`)
  return found
}

/** Lowered code of a form that its control flow cannot be read off. */
export class UnknownShapeError extends Error {
  override readonly name = 'UnknownShapeError'

  constructor(what: string) {
    super(`the lowered code has a form that is not understood (${what}): write the statement otherwise`)
  }
}

/** What lowered code may do with its context: its members, and whether they are called or assigned. */
const USES: Readonly<Record<string, 'called' | 'assigned' | 'read'>> = {
  n: 'assigned',
  p: 'assigned',
  v: 'read',
  a: 'called',
  d: 'called',
  f: 'called',
}

/** @throws UnknownShapeError for a use of the context that is none of the known ones */
function checkUses(path: NodePath<t.SwitchCase>, context: string): void {
  path.traverse({
    Identifier(inner) {
      if (inner.node.name !== context || !inner.isReferencedIdentifier()) return
      const member = inner.parentPath
      const use =
        member.isMemberExpression({ computed: false }) &&
        inner.key === 'object' &&
        member.node.property.type === 'Identifier'
          ? USES[member.node.property.name]
          : undefined
      const isCalled = member.parent.type === 'CallExpression' && member.key === 'callee'
      const isAssigned = member.parent.type === 'AssignmentExpression' && member.key === 'left'
      if (use === undefined || isCalled !== (use === 'called') || isAssigned !== (use === 'assigned'))
        throw new UnknownShapeError('its context')
    },
  })
}

function allJumps(cases: readonly NodePath<t.SwitchCase>[], context: string): number[] {
  const found: number[] = []
  for (const path of cases) {
    checkUses(path, context)
    path.traverse({
      CallExpression({ node }) {
        const [type, label] = node.arguments
        if (isContext(node.callee, context, 'a') && type?.type === 'NumericLiteral' && type.value === 3)
          constants(label, found)
      },
    })
  }
  return found
}

function block(
  path: NodePath<t.SwitchCase>,
  next: NodePath<t.SwitchCase> | undefined,
  context: string,
  variables: Variables,
  tries: readonly (readonly (number | undefined)[])[],
  jumps: readonly number[],
): Block {
  const label = labelOf(path)
  const made: Block = { label, reads: new Set(), writes: new Set(), successors: [], regions: new Set([label]) }
  let falls = true
  for (const statement of path.get('consequent')) {
    // an edge out of a statement counts only what was written before it: regenerator jumps from the middle of a case
    collectEdges(statement, context, tries, jumps, made)
    collectUses(statement, variables, made)
    const { node } = statement
    if (node.type === 'BreakStatement' || node.type === 'ReturnStatement' || node.type === 'ThrowStatement')
      falls = false
  }
  if (falls && next) made.successors.push({ label: labelOf(next), written: made.writes })
  return made
}

/** Follows one statement in order: what it reads before it surely wrote it, and what it surely writes. */
function collectUses(
  statement: NodePath<t.Statement>,
  variables: Variables,
  made: Pick<Block, 'reads' | 'writes'>,
): void {
  if (statement.isBlockStatement()) {
    for (const inner of statement.get('body')) collectUses(inner, variables, made)
  } else if (statement.isExpressionStatement()) {
    collectExpression(statement.get('expression'), variables, made)
  } else if (statement.isIfStatement()) {
    collectExpression(statement.get('test'), variables, made)
    const arms = [statement.get('consequent'), statement.get('alternate')].map((arm) => {
      const branch = { reads: made.reads, writes: new Set(made.writes) }
      if (arm.node) collectUses(arm as NodePath<t.Statement>, variables, branch)
      return branch.writes
    })
    for (const name of arms[0] ?? []) if (arms[1]?.has(name)) made.writes.add(name)
  } else if (statement.isForXStatement()) {
    collectExpression(statement.get('right'), variables, made)
    const turn = { reads: made.reads, writes: new Set(made.writes) }
    const { left } = statement.node
    if (left.type !== 'Identifier') collectReads(statement.get('left'), variables, turn)
    for (const name of Object.keys(assignedBy(left as t.LVal))) turn.writes.add(name)
    collectUses(statement.get('body'), variables, turn)
  } else if (statement.isLoop()) {
    const turn = { reads: made.reads, writes: new Set(made.writes) }
    for (const part of loopParts(statement)) {
      if (part.isStatement()) collectUses(part, variables, turn)
      else collectExpression(part, variables, turn)
    }
  } else {
    collectReads(statement, variables, made)
  }
}

/** The parts of a loop in an order in which a variable written first is surely written before it is read. */
function loopParts(loop: NodePath<t.Loop>): NodePath[] {
  if (loop.isForStatement())
    return [loop.get('init'), loop.get('test'), loop.get('body'), loop.get('update')].filter(
      (part) => part.node,
    ) as NodePath[]
  if (loop.isWhileStatement()) return [loop.get('test'), loop.get('body')]
  if (loop.isDoWhileStatement()) return [loop.get('body'), loop.get('test')]
  throw new UnknownShapeError(`a ${loop.type}`)
}

function collectExpression(expression: NodePath, variables: Variables, made: Pick<Block, 'reads' | 'writes'>): void {
  if (expression.isSequenceExpression()) {
    for (const inner of expression.get('expressions')) collectExpression(inner, variables, made)
    return
  }
  if (expression.isAssignmentExpression({ operator: '=' })) {
    const { left } = expression.node
    if (left.type === 'Identifier' && variables.names.has(left.name)) {
      collectExpression(expression.get('right'), variables, made)
      made.writes.add(left.name)
      return
    }
    if (left.type === 'ArrayPattern' || left.type === 'ObjectPattern') {
      collectExpression(expression.get('right'), variables, made)
      collectReads(expression.get('left') as NodePath, variables, made)
      for (const name of Object.keys(assignedBy(left))) if (variables.names.has(name)) made.writes.add(name)
      return
    }
  }
  collectReads(expression, variables, made)
}

/** Variables that a pattern assigns; targets that are members assign none. */
function assignedBy(pattern: t.LVal): Record<string, true> {
  const found: Record<string, true> = {}
  const visit = (node: t.Node | null): void => {
    if (node?.type === 'Identifier') found[node.name] = true
    else if (node?.type === 'ArrayPattern') node.elements.forEach(visit)
    else if (node?.type === 'ObjectPattern')
      node.properties.forEach((property) => visit(property.type === 'RestElement' ? property.argument : property.value))
    else if (node?.type === 'AssignmentPattern') visit(node.left)
    else if (node?.type === 'RestElement') visit(node.argument)
  }
  visit(pattern)
  return found
}

function collectReads(path: NodePath, variables: Variables, made: Pick<Block, 'reads' | 'writes'>): void {
  const visit = (inner: NodePath<t.Identifier>): void => {
    const { name } = inner.node
    if (
      !variables.names.has(name) ||
      made.writes.has(name) ||
      !(inner.isReferencedIdentifier() || isCompoundTarget(inner))
    )
      return
    if (inner.scope.getBinding(name)?.scope === variables.scope) made.reads.add(name)
  }
  if (path.isIdentifier()) visit(path)
  path.traverse({ Identifier: visit })
}

/** `x += 1` and `x++` read what they write. */
function isCompoundTarget(path: NodePath<t.Identifier>): boolean {
  const { parent, key } = path
  return (
    (parent.type === 'AssignmentExpression' && key === 'left' && parent.operator !== '=') ||
    parent.type === 'UpdateExpression'
  )
}

function collectEdges(
  statement: NodePath<t.Statement>,
  context: string,
  tries: readonly (readonly (number | undefined)[])[],
  jumps: readonly number[],
  made: Block,
): void {
  const written = new Set(made.writes)
  const add = (label: number | undefined): void => {
    if (label !== undefined) made.successors.push({ label, written })
  }
  const assignment = ({ node }: { node: t.AssignmentExpression }): void => {
    if (isContext(node.left, context, 'n')) constants(node.right).forEach(add)
    if (isContext(node.left, context, 'p')) constants(node.right).forEach((region) => made.regions.add(region))
  }
  statement.traverse({
    AssignmentExpression: assignment,
    CallExpression({ node }) {
      const [first, second] = node.arguments
      if (isContext(node.callee, context, 'a')) {
        const [type] = constants(first)
        if (type === 3) constants(second).forEach(add)
        else if (type !== 2) throw new UnknownShapeError(`a completion of type ${type}`)
      }
      if (isContext(node.callee, context, 'd')) constants(second).forEach(add)
      if (isContext(node.callee, context, 'f')) {
        const [label] = constants(first)
        const entry = tries.find(([, , finalizer]) => finalizer === label)
        if (!entry) throw new UnknownShapeError('a finalizer of no try')
        add(entry[3])
        jumps.forEach(add)
      }
    },
  })
}
