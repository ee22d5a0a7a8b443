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
 * @param scope the scope that declares them: a name that a nested function declares anew is another variable
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
  for (let changed = true; changed; ) {
    changed = false
    for (let i = blocks.length - 1; i >= 0; i--) changed = flow(blocks[i] as Block, live, tries) || changed
  }
  return live
}

function flow(block: Block, live: Map<number, Set<string>>, tries: readonly (readonly (number | undefined)[])[]): boolean {
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
  if (test?.type !== 'NumericLiteral') throw new Error('a lowered case has no number')
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

/** Numbers an expression may evaluate to, for the conditional targets of a lowered switch statement. */
function constants(node: t.Node, found: number[]): number[] {
  if (node.type === 'NumericLiteral') found.push(node.value)
  else if (node.type === 'ConditionalExpression') {
    constants(node.consequent, found)
    constants(node.alternate, found)
  }
  return found
}

function allJumps(cases: readonly NodePath<t.SwitchCase>[], context: string): number[] {
  const found: number[] = []
  for (const path of cases) {
    path.traverse({
      CallExpression({ node }) {
        const [type, label] = node.arguments
        if (isContext(node.callee, context, 'a') && type?.type === 'NumericLiteral' && type.value === 3 && label?.type === 'NumericLiteral') {
          found.push(label.value)
        }
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
    if (node.type === 'BreakStatement' || node.type === 'ReturnStatement' || node.type === 'ThrowStatement') falls = false
  }
  if (falls && next) made.successors.push({ label: labelOf(next), written: made.writes })
  return made
}

/** Follows one statement in order: what it reads before it surely wrote it, and what it surely writes. */
function collectUses(statement: NodePath<t.Statement>, variables: Variables, made: Pick<Block, 'reads' | 'writes'>): void {
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
  if (loop.isForStatement()) return [loop.get('init'), loop.get('test'), loop.get('body'), loop.get('update')].filter((part) => part.node) as NodePath[]
  if (loop.isWhileStatement()) return [loop.get('test'), loop.get('body')]
  return loop.isDoWhileStatement() ? [loop.get('body'), loop.get('test')] : [loop]
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
  }
  collectReads(expression, variables, made)
}

function collectReads(path: NodePath, variables: Variables, made: Pick<Block, 'reads' | 'writes'>): void {
  const visit = (inner: NodePath<t.Identifier>): void => {
    const { name } = inner.node
    if (!variables.names.has(name) || made.writes.has(name) || !(inner.isReferencedIdentifier() || isCompoundTarget(inner))) return
    if (inner.scope.getBinding(name)?.scope === variables.scope) made.reads.add(name)
  }
  if (path.isIdentifier()) visit(path)
  path.traverse({ Identifier: visit })
}

/** `x += 1` and `x++` read what they write. */
function isCompoundTarget(path: NodePath<t.Identifier>): boolean {
  const { parent, key } = path
  return (parent.type === 'AssignmentExpression' && key === 'left' && parent.operator !== '=') || parent.type === 'UpdateExpression'
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
    if (isContext(node.left, context, 'n')) constants(node.right, []).forEach(add)
    if (isContext(node.left, context, 'p')) constants(node.right, []).forEach((region) => made.regions.add(region))
  }
  statement.traverse({
    AssignmentExpression: assignment,
    CallExpression({ node }) {
      const [first, second] = node.arguments
      if (isContext(node.callee, context, 'a') && first?.type === 'NumericLiteral' && first.value === 3) constants(second as t.Node, []).forEach(add)
      if (isContext(node.callee, context, 'd')) constants(second as t.Node, []).forEach(add)
      if (isContext(node.callee, context, 'f')) {
        for (const [, , finalizer, after] of tries) if (finalizer === (first as t.NumericLiteral).value) add(after)
        jumps.forEach(add)
      }
    },
  })
}
