import { type NodePath, types as t } from '@babel/core'
import { type Binding, isTarget, occurrences } from './bindings.ts'
import { type GeneratorPath, own } from './levels.ts'
import type { Lowering } from './lowering.ts'

/** Key of the cell that holds a variable of one turn of a loop. */
const CELL = 'v'

/**
 * A closure made in a loop captures the variables of its turn, which in a lowered function are one variable for all
 * turns. It is given them by value, where that is the same: they change, if at all, from turn to turn. Of the others
 * every turn gets a cell, an object of its own.
 *
 * @throws Refusal for what a closure captures before it has a value
 */
export function bindTurns(path: GeneratorPath, lowering: Lowering): void {
  const changing = (): Binding[] =>
    captures(path).flatMap(({ binding, closures }) => (isKept(binding, closures) ? [] : [binding]))
  for (const { binding, closures } of captures(path)) refuseUnready(binding, closures, lowering)
  const heads = changing().filter(({ scope }) => scope.path.isForXStatement())
  for (const loop of new Set(heads.map(({ scope }) => scope.path))) moveHeadIntoBody(loop as NodePath<t.ForOfStatement>)
  if (heads.length > 0) path.scope.crawl()
  const cells = changing()
  for (const binding of cells) intoCells(binding, lowering)
  if (cells.length > 0) path.scope.crawl()
  const names = new Map<NodePath<t.Function>, Set<string>>()
  for (const { binding, closures } of captures(path)) {
    for (const closure of closures) names.set(closure, (names.get(closure) ?? new Set()).add(binding.identifier.name))
  }
  for (const [closure, captured] of names) bind(closure, [...captured], lowering)
  if (names.size > 0) path.scope.crawl()
}

/** Variables of turns of loops that closures capture, and these closures. */
function captures(
  path: GeneratorPath,
): { readonly binding: Binding; readonly closures: readonly NodePath<t.Function>[] }[] {
  const found = new Map<Binding, Set<NodePath<t.Function>>>()
  path.get('body').traverse({
    Function(closure) {
      closure.traverse({
        Identifier(inner) {
          if (!inner.isReferencedIdentifier() && !isTarget(inner)) return
          const binding = inner.scope.getBinding(inner.node.name)
          if (!binding || binding.scope === path.scope || !inLoopOf(binding.scope.path, path)) return
          if (binding.path.findParent((parent) => parent === closure) || binding.scope.path === closure) return
          if (binding.kind !== 'let' && binding.kind !== 'const') return
          found.set(binding, (found.get(binding) ?? new Set()).add(closure))
        },
      })
      closure.skip()
    },
  })
  return [...found].map(([binding, closures]) => ({ binding, closures: [...closures] }))
}

/** Whether a variable has, when a closure is made, the value that it keeps for as long as its turn lasts. */
function isKept(binding: Binding, closures: readonly NodePath<t.Function>[]): boolean {
  if (binding.constant) return true
  const loop = binding.scope.path
  if (!loop.isForStatement()) return isLoopHead(binding)
  const update = loop.get('update')
  const isInBody = (closure: NodePath): boolean => closure.findParent((at) => at.parentPath === loop)?.key === 'body'
  return (
    closures.every(isInBody) &&
    binding.constantViolations.every((write) => write === update || write.findParent((at) => at === update) !== null)
  )
}

/** A variable in the head of for-of and for-in counts as assigned by its loop. */
function isLoopHead(binding: Binding): boolean {
  const loop = binding.scope.path
  return (
    (loop.isForOfStatement() || loop.isForInStatement()) && binding.constantViolations.every((write) => write === loop)
  )
}

/** `let x = 1 ... x` becomes `let x = { v: 1 } ... x.v`, and in the head of a loop a new cell for every turn. */
function intoCells(binding: Binding, lowering: Lowering): void {
  const { identifier, scope } = binding
  const { name } = identifier
  const loop = scope.path
  const declarator = binding.path
  if (!declarator.isVariableDeclarator() || declarator.node.id.type !== 'Identifier') {
    throw lowering.refuse(
      identifier,
      `a closure captures "${name}", which comes out of a pattern and changes in a loop of a program: copy it to a variable of its own first`,
    )
  }
  const cell = (): t.MemberExpression => t.memberExpression(t.identifier(name), t.identifier(CELL))
  for (const use of occurrences(binding)) {
    if (use.parentPath.isObjectProperty() && use.parentPath.node.shorthand) use.parentPath.node.shorthand = false
    use.replaceWith(cell())
  }
  const initial = declarator.node.init ?? t.unaryExpression('void', t.numericLiteral(0))
  declarator.node.init = t.objectExpression([t.objectProperty(t.identifier(CELL), initial)])
  if (loop.isForStatement() && declarator.findParent((at) => at.parentPath === loop)?.key === 'init') {
    const renew = t.assignmentExpression(
      '=',
      t.identifier(name),
      t.objectExpression([t.objectProperty(t.identifier(CELL), cell())]),
    )
    loop.node.update = loop.node.update ? t.sequenceExpression([renew, loop.node.update]) : renew
  }
}

/** `for (let x of list) BODY` becomes `for (const y of list) { let x = y; BODY }`. */
function moveHeadIntoBody(loop: NodePath<t.ForOfStatement>): void {
  const { left, body } = loop.node
  if (left.type !== 'VariableDeclaration') return
  const item = loop.scope.generateUidIdentifier('item')
  const declaration = t.variableDeclaration('let', [
    t.variableDeclarator((left.declarations[0] as t.VariableDeclarator).id, t.cloneNode(item)),
  ])
  loop.node.left = t.variableDeclaration('const', [t.variableDeclarator(item)])
  loop.node.body = t.blockStatement([declaration, body])
  loop.scope.crawl()
}

/** Gives a closure some variables as they are when it is made. */
function bind(closure: NodePath<t.Function>, names: readonly string[], lowering: Lowering): void {
  if (!closure.isArrowFunctionExpression() && !closure.isFunctionExpression()) {
    throw lowering.refuse(
      closure.node,
      `this function captures "${names[0]}" of a loop of a program: use an arrow function`,
    )
  }
  const made = t.arrowFunctionExpression(
    names.map((name) => t.identifier(name)),
    closure.node,
  )
  lowering.ours.add(made)
  closure.replaceWith(
    t.callExpression(
      made,
      names.map((name) => t.identifier(name)),
    ),
  )
  closure.skip()
}

/** By value a closure can capture only what has its value when the closure is made. */
function refuseUnready(binding: Binding, closures: readonly NodePath<t.Function>[], lowering: Lowering): void {
  const { path: declaration, identifier } = binding
  for (const closure of closures) {
    const isSelf =
      closure.findParent((at) => at.node === declaration.node) !== null && declaration.isVariableDeclarator()
    const isLater = (declaration.node.start ?? 0) > (closure.node.start ?? 0)
    if (isSelf || isLater)
      throw lowering.refuse(
        closure.node,
        `the closure captures "${identifier.name}" of a loop of a program before it has a value: declare it outside of the loop`,
      )
  }
}

/**
 * Refuses what JavaScript finds at run time: `let`, `const` and `class` are used before their declaration, which in a
 * lowered function would be undefined.
 */
export function refuseEarlyUses(path: GeneratorPath, lowering: Lowering): void {
  own(path, {
    Scope(inner: NodePath) {
      if (inner.isFunction()) return
      for (const binding of Object.values(inner.scope.bindings)) refuseEarlyUse(binding, path, lowering)
    },
  } as never)
  for (const binding of Object.values(path.scope.bindings)) refuseEarlyUse(binding, path, lowering)
}

function refuseEarlyUse(binding: Binding, path: GeneratorPath, lowering: Lowering): void {
  const { kind, path: declaration, identifier, scope } = binding
  if ((kind !== 'let' && kind !== 'const') || !declaration.isVariableDeclarator()) return
  const isHead = declaration.findParent((at) => at.isForXStatement() && at === scope.path) !== null
  for (const use of [...binding.referencePaths, ...binding.constantViolations]) {
    if (use === scope.path || use.node.start === null || use.node.start === undefined) continue
    const isClosure = use.getFunctionParent() !== path && use.getFunctionParent()?.node !== path.node
    const ready = isHead
      ? (identifier.start ?? 0)
      : isWithin(use.node, declaration.node.id)
        ? elementEnd(declaration, identifier)
        : (declaration.node.end ?? 0)
    const isEarly = use.node.start < ready && use.node !== declaration.node
    // a function that calls itself is called once the variable has it
    const isRecursive = isClosure && isInitial(declaration, use)
    if (isEarly && !isRecursive && !(isHead && isAfterHead(use, scope.path))) {
      throw lowering.refuse(use.node, `"${identifier.name}" is used before its declaration`)
    }
    if (!isClosure && scope.path.isSwitchStatement() && caseOf(use) !== caseOf(declaration)) {
      throw lowering.refuse(
        use.node,
        `"${identifier.name}" belongs to another case of the switch, where it gets its value: declare it before the switch, or in a block`,
      )
    }
  }
}

function isWithin(inner: t.Node, outer: t.Node): boolean {
  return (inner.start ?? 0) >= (outer.start ?? 0) && (inner.end ?? 0) <= (outer.end ?? 0)
}

/** Where in its pattern a variable has its value: after its default, if it has one. */
function elementEnd(declaration: NodePath<t.VariableDeclarator>, identifier: t.Identifier): number {
  let end = identifier.end ?? 0
  declaration.traverse({
    AssignmentPattern(inner) {
      if (inner.node.left === identifier) end = inner.node.end ?? end
    },
  })
  return end
}

/** Whether a use lies in the function that is a variable's whole initial value. */
function isInitial(declaration: NodePath<t.VariableDeclarator>, use: NodePath): boolean {
  const { init } = declaration.node
  return t.isFunction(init) && use.findParent(({ node }) => node === init) !== null
}

function isAfterHead(use: NodePath, loop: NodePath): boolean {
  return use.findParent((at) => at.parentPath === loop)?.key === 'body'
}

function caseOf(path: NodePath): t.Node | null {
  return path.findParent((at) => at.isSwitchCase())?.node ?? null
}

function inLoopOf(scopePath: NodePath, fn: GeneratorPath): boolean {
  let isInLoop = false
  for (let at: NodePath | null = scopePath; at; at = at.parentPath) {
    if (at.node === fn.node) return isInLoop
    isInLoop ||= at.isLoop()
  }
  return false
}
