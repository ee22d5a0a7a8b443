import type { NodePath, types as t } from '@babel/core'

/** A variable of some scope, as Babel knows it. */
export type Binding = NonNullable<ReturnType<NodePath['scope']['getBinding']>>

/** Where a variable is read or assigned, its declaration apart. */
export function occurrences(binding: Binding): NodePath<t.Identifier>[] {
  const found: NodePath<t.Identifier>[] = []
  binding.scope.path.traverse({
    Identifier(inner) {
      const isIt =
        inner.node.name === binding.identifier.name &&
        inner.node !== binding.identifier &&
        inner.scope.getBinding(inner.node.name) === binding
      if (isIt && (inner.isReferencedIdentifier() || isTarget(inner))) found.push(inner)
    },
  })
  return found
}

/** Whether an identifier is assigned: by itself or in a pattern. */
export function isTarget({ parent, key, listKey, parentPath }: NodePath<t.Identifier>): boolean {
  switch (parent.type) {
    case 'AssignmentExpression':
    case 'AssignmentPattern':
    case 'ForOfStatement':
    case 'ForInStatement':
      return key === 'left'
    case 'UpdateExpression':
    case 'RestElement':
      return true
    case 'ArrayPattern':
      return listKey === 'elements'
    case 'ObjectProperty':
      return key === 'value' && parentPath?.parent.type === 'ObjectPattern'
    default:
      return false
  }
}

/** Gives a variable another name wherever it stands: also twice in one pattern, where Babel's own renaming misses one. */
export function rename(binding: Binding, fresh: string): void {
  const { identifier, scope } = binding
  const { name } = identifier
  for (const use of occurrences(binding)) {
    if (use.parentPath.isObjectProperty() && use.parentPath.node.shorthand) use.parentPath.node.shorthand = false
    use.node.name = fresh
  }
  scope.path.traverse({
    ObjectProperty(inner) {
      if (
        inner.node.value === identifier ||
        (inner.node.value.type === 'AssignmentPattern' && inner.node.value.left === identifier)
      )
        inner.node.shorthand = false
    },
  })
  identifier.name = fresh
  delete scope.bindings[name]
  scope.bindings[fresh] = binding
}
