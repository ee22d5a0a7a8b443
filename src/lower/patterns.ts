import { type NodePath, types as t } from '@babel/core'
import { type GeneratorPath, containsPoint, own } from './levels.ts'
import type { Lowering } from './lowering.ts'

/**
 * Patterns of a generator function whose declarations are `var` already. Those of declarations become assignments, and
 * those with points in their keys, defaults or targets are taken apart in the order that JavaScript has.
 */
export function lowerPatterns(path: GeneratorPath, lowering: Lowering): void {
  own(path, {
    VariableDeclaration: { exit: (inner: NodePath<t.VariableDeclaration>) => intoAssignments(inner, path) },
  } as never)
  path.scope.crawl()
  own(path, {
    AssignmentExpression: {
      exit(inner: NodePath<t.AssignmentExpression>) {
        const left = inner.get('left') as NodePath
        if (!left.isPattern()) return
        // V8 does not parse `f([1], [a] = list)` unless the pattern stands in parentheses, which the bundler leaves out
        if (containsPoint(left) || !inner.parentPath.isExpressionStatement())
          new Taking(path, lowering).assignment(inner)
      },
    },
  } as never)
  path.scope.crawl()
}

/** `var [a, b] = list` becomes `var a, b; [a, b] = list`. */
function intoAssignments(declaration: NodePath<t.VariableDeclaration>, path: GeneratorPath): void {
  const { declarations } = declaration.node
  if (declarations.every(({ id }) => id.type === 'Identifier')) return
  for (const name of Object.keys(t.getBindingIdentifiers(declaration.node)))
    path.scope.push({ id: t.identifier(name), kind: 'var' })
  if (declaration.parentPath.isForXStatement() && declaration.key === 'left') {
    declaration.replaceWith((declarations[0] as t.VariableDeclarator).id as t.ArrayPattern)
    return
  }
  const assignments = declarations.flatMap(({ id, init }) =>
    init ? [t.assignmentExpression('=', id as t.LVal, init)] : [],
  )
  const isHead = declaration.parentPath.isForStatement() && declaration.key === 'init'
  if (isHead) declaration.replaceWith(t.sequenceExpression(assignments))
  else declaration.replaceWithMultiple(assignments.map((assignment) => t.expressionStatement(assignment)))
}

/** Takes one pattern apart. */
class Taking {
  readonly #path: GeneratorPath
  readonly #lowering: Lowering
  readonly #done: t.Expression[] = []

  constructor(path: GeneratorPath, lowering: Lowering) {
    this.#path = path
    this.#lowering = lowering
  }

  /** Replaces an assignment by a sequence whose value is that of its right side. */
  assignment(inner: NodePath<t.AssignmentExpression>): void {
    const value = this.#keep(inner.node.right)
    this.#pattern(inner.node.left as t.Pattern, value)
    inner.replaceWith(t.sequenceExpression([...this.#done, value]))
    inner.skip()
  }

  /** A variable that holds the value of an expression from here on. */
  #keep(value: t.Expression): t.Identifier {
    const id = this.#path.scope.generateUidIdentifier('p')
    this.#path.scope.push({ id: t.cloneNode(id), kind: 'var' })
    this.#done.push(t.assignmentExpression('=', id, value))
    return t.cloneNode(id)
  }

  #call(member: string, ...args: t.Expression[]): t.Expression {
    return t.callExpression(this.#lowering.runtime(member), args)
  }

  #pattern(pattern: t.Pattern, value: t.Identifier): void {
    if (pattern.type === 'ObjectPattern') this.#object(pattern, value)
    else if (pattern.type === 'ArrayPattern') this.#array(pattern, value)
    else
      throw this.#lowering.refuse(
        pattern,
        'a pattern of a form that is not known around a point: take it apart by hand',
      )
  }

  /** Evaluates a target as far as comes before its value; returns what assigns it. */
  #target(target: t.Node): (value: t.Identifier) => void {
    if (target.type === 'AssignmentPattern') {
      const assign = this.#target(target.left)
      return (value) => {
        const isMissing = t.binaryExpression('===', t.cloneNode(value), t.unaryExpression('void', t.numericLiteral(0)))
        assign(this.#keep(t.conditionalExpression(isMissing, target.right, t.cloneNode(value))))
      }
    }
    if (target.type === 'ObjectPattern' || target.type === 'ArrayPattern')
      return (value) => this.#pattern(target, value)
    if (target.type !== 'MemberExpression')
      return (value) => this.#done.push(t.assignmentExpression('=', target as t.LVal, t.cloneNode(value)))
    const object = this.#keep(target.object as t.Expression)
    const key = target.computed ? this.#keep(target.property as t.Expression) : target.property
    return (value) =>
      this.#done.push(
        t.assignmentExpression(
          '=',
          t.memberExpression(object, key as t.Expression, target.computed),
          t.cloneNode(value),
        ),
      )
  }

  #object({ properties }: t.ObjectPattern, value: t.Identifier): void {
    // V8 finds out at the first property that there is none, if its key does not have to be evaluated first
    const [first] = properties
    if (!first || first.type === 'RestElement' || first.computed)
      this.#done.push(this.#call('coercible', t.cloneNode(value)))
    const keys: t.Expression[] = []
    for (const property of properties) {
      if (property.type === 'RestElement') {
        const assign = this.#target(property.argument)
        assign(this.#keep(this.#call('others', t.cloneNode(value), t.arrayExpression(keys))))
        continue
      }
      const { key, computed } = property
      const name = computed
        ? this.#keep(this.#call('key', key as t.Expression))
        : key.type === 'Identifier'
          ? t.stringLiteral(key.name)
          : (key as t.Expression)
      keys.push(t.cloneNode(name))
      const assign = this.#target(property.value)
      assign(this.#keep(t.memberExpression(t.cloneNode(value), t.cloneNode(name), true)))
    }
  }

  #array({ elements, loc }: t.ArrayPattern, value: t.Identifier): void {
    const site = this.#lowering.site({ loc } as t.Node, 'place')
    const walk = this.#keep(this.#call('walk', site, t.cloneNode(value)))
    const next = (member: string): t.Expression =>
      t.callExpression(t.memberExpression(t.cloneNode(walk), t.identifier(member)), [])
    for (const element of elements) {
      if (element === null) this.#done.push(next('take'))
      else if (element.type === 'RestElement') this.#target(element.argument)(this.#keep(next('rest')))
      else this.#target(element)(this.#keep(next('take')))
    }
  }
}
