import { type NodePath, types as t } from '@babel/core'
import { type Binding, rename } from './bindings.ts'
import { bindTurns, refuseEarlyUses } from './closures.ts'
import { type GeneratorPath, own } from './levels.ts'
import { lowerIterations } from './loops.ts'
import type { Lowering } from './lowering.ts'
import { lowerPatterns } from './patterns.ts'
import { placeStops } from './stops.ts'

/** Prepares one generator function for regenerator: simple parameters, `var` only, plain loops, marked `yield*`. */
export function prepareGenerator(path: GeneratorPath, lowering: Lowering): void {
  refuseUnsupported(path, lowering)
  moveParameters(path)
  refuseEarlyUses(path, lowering)
  bindTurns(path, lowering)
  placeStops(path, lowering)
  lowerIterations(path, lowering)
  hoistBlockScoped(path, lowering)
  lowerPatterns(path, lowering)
  markYields(path, lowering)
}

function refuseUnsupported(path: GeneratorPath, lowering: Lowering): void {
  const { node } = path
  if (node.async) throw lowering.refuse(node, 'async generators cannot be stored at a point: use function*')
  own(path, {
    ThisExpression(inner) {
      throw lowering.refuse(
        inner.node,
        '"this" in a generator function that is no method: pass the object as a parameter',
      )
    },
    Identifier(inner) {
      if (
        inner.node.name === 'arguments' &&
        inner.isReferencedIdentifier() &&
        !inner.scope.hasBinding('arguments', true)
      ) {
        throw lowering.refuse(inner.node, '"arguments" in a generator: name the parameters or use (...rest)')
      }
    },
    YieldExpression(inner) {
      if (!inner.node.delegate)
        throw lowering.refuse(
          inner.node,
          'plain "yield" in a program: synchronising operations are written yield* operation()',
        )
    },
    VariableDeclaration(inner) {
      if (inner.node.kind === 'using' || inner.node.kind === 'await using')
        throw lowering.refuse(inner.node, '"using" cannot be stored at a point: use try/finally')
    },
    AwaitExpression(inner) {
      throw lowering.refuse(inner.node, '"await" in a program: the simulated machine has no promises')
    },
  })
  path.get('body').traverse({
    Class(inner) {
      throw lowering.refuse(inner.node, 'a class declared inside a program: declare it outside')
    },
  })
}

/** Patterns and defaults move into the body; a rest parameter may stay. */
function moveParameters(path: GeneratorPath): void {
  const prologue: t.Statement[] = []
  path.node.params = path.node.params.map((param) => {
    if (param.type === 'Identifier' || (param.type === 'RestElement' && param.argument.type === 'Identifier'))
      return param
    const name = path.scope.generateUidIdentifier('parameter')
    if (param.type === 'RestElement') {
      prologue.push(t.variableDeclaration('let', [t.variableDeclarator(param.argument as t.ArrayPattern, name)]))
      return t.restElement(t.cloneNode(name))
    }
    const isDefault = param.type === 'AssignmentPattern'
    const target = (isDefault ? param.left : param) as t.Identifier | t.Pattern
    const value = isDefault
      ? t.conditionalExpression(
          t.binaryExpression('===', name, t.unaryExpression('void', t.numericLiteral(0))),
          param.right,
          t.cloneNode(name),
        )
      : name
    prologue.push(t.variableDeclaration('let', [t.variableDeclarator(target as t.Identifier, value)]))
    return t.cloneNode(name)
  })
  if (prologue.length === 0) return
  path.node.body.body.unshift(...prologue)
  path.scope.crawl()
}

/** `let` and `const` become `var` under names of their own, so that a variable is one slot of the activation. */
function hoistBlockScoped(path: GeneratorPath, lowering: Lowering): void {
  const taken = new Set(Object.keys(path.scope.bindings))
  const { globals } = path.scope.getProgramParent() as unknown as { globals: object }
  own(path, {
    Scope(inner: NodePath) {
      if (inner.scope === path.scope || inner.isFunction()) return
      for (const name of Object.keys(inner.scope.bindings)) {
        const clash = taken.has(name) || path.scope.parent.hasBinding(name) || Object.hasOwn(globals, name)
        if (clash) {
          const fresh = freshName(name, taken, path)
          rename(inner.scope.bindings[name] as Binding, fresh)
          taken.add(fresh)
        } else taken.add(name)
      }
    },
  })
  own(path, {
    VariableDeclaration(inner) {
      const { node } = inner
      if (node.kind !== 'let' && node.kind !== 'const') return
      const isHead =
        (inner.parent.type === 'ForInStatement' || inner.parent.type === 'ForOfStatement') && inner.key === 'left'
      for (const declarator of node.declarations) {
        refuseConstantWrite(inner, declarator, lowering)
        if (!isHead) declarator.init ??= t.unaryExpression('void', t.numericLiteral(0))
      }
      node.kind = 'var'
    },
    CatchClause(inner) {
      const { param, body } = inner.node
      if (!param || param.type === 'Identifier') return
      const caught = path.scope.generateUidIdentifier('caught')
      body.body.unshift(t.variableDeclaration('var', [t.variableDeclarator(param as t.ArrayPattern, caught)]))
      inner.node.param = t.cloneNode(caught)
    },
  })
  path.scope.crawl()
}

function freshName(name: string, taken: ReadonlySet<string>, path: GeneratorPath): string {
  for (let i = 1; ; i++) {
    const fresh = `${name}$${i}`
    if (!taken.has(fresh) && !path.scope.hasBinding(fresh) && !path.scope.hasGlobal(fresh)) return fresh
  }
}

function refuseConstantWrite(
  path: NodePath<t.VariableDeclaration>,
  declarator: t.VariableDeclarator,
  lowering: Lowering,
): void {
  if (path.node.kind !== 'const') return
  for (const name of Object.keys(t.getBindingIdentifiers(declarator.id))) {
    const violation = path.scope.getBinding(name)?.constantViolations[0]
    if (violation && !violation.isDeclaration() && !violation.isVariableDeclarator())
      throw lowering.refuse(violation.node, `"${name}" is a const and cannot be assigned`)
  }
}

/** `yield* E` becomes `(yield MARK, yield* at(site, E))`: the mark lets a closure operation be evaluated again. */
function markYields(path: GeneratorPath, lowering: Lowering): void {
  own(path, {
    YieldExpression: {
      exit(inner: NodePath<t.YieldExpression>) {
        if (!inner.node.delegate || !inner.node.argument || lowering.ours.has(inner.node)) return
        const site = lowering.site(inner.node, 'point')
        const delegation = t.yieldExpression(
          t.callExpression(lowering.runtime('at'), [site, inner.node.argument]),
          true,
        )
        lowering.ours.add(delegation)
        const mark = t.yieldExpression(lowering.runtime('MARK'), false)
        lowering.ours.add(mark)
        inner.replaceWith(t.sequenceExpression([mark, delegation]))
      },
    },
  })
}
