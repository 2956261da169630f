import { readFileSync } from 'node:fs'
import {
  type BindingIdentifier,
  type ModuleItem,
  type Pattern,
  parseSync,
  type Statement,
  type TsEntityName,
} from '@swc/core'
import type { Fields } from '../../../../src/emulators/stripe/http/parameters.ts'
import { resolve, type Scope } from './scope.ts'
import { fieldsOf, had, joined } from './shapes.ts'
import { annotated, membersOf, shapeOf } from './types.ts'

const modules = new Map<string, Scope>()

export function declarations(file: URL): Scope {
  const known = modules.get(file.href)
  if (known) return known
  const scope = scopeOf(file, parseSync(readFileSync(file, 'utf8'), { syntax: 'typescript' }).body)
  modules.set(file.href, scope)
  return scope
}

function scopeOf(file: URL, body: (ModuleItem | Statement)[], around?: Scope): Scope {
  const scope: Scope = { types: new Map(), namespaces: new Map(), methods: new Map(), around }
  for (const item of body) declare(scope, file, item)
  return scope
}

function declare(scope: Scope, file: URL, item: ModuleItem | Statement): void {
  const declared = item.type === 'ExportDeclaration' ? item.declaration : item
  switch (declared.type) {
    case 'TsTypeAliasDeclaration':
      scope.types.set(declared.id.value, () => shapeOf(scope, declared.typeAnnotation))
      return
    case 'TsInterfaceDeclaration':
      scope.types.set(declared.id.value, () => {
        const own = membersOf(scope, declared.body.body)
        return declared.extends.map(({ expression }) => resolve(scope, expression as TsEntityName)).reduce(joined, own)
      })
      return
    case 'TsModuleDeclaration':
      if (declared.body?.type === 'TsModuleBlock')
        scope.namespaces.set(declared.id.value, scopeOf(file, declared.body.body, scope))
      return
    case 'ImportDeclaration':
      for (const { type, local } of declared.specifiers)
        if (type === 'ImportSpecifier')
          scope.types.set(local.value, () => {
            const source = new URL(declared.source.value.replace(/\.js$/, '.d.ts'), file)
            return had(declarations(source).types.get(local.value), local.value)()
          })
      return
    case 'ClassDeclaration':
      for (const member of declared.body) {
        if (member.type !== 'ClassMethod' || member.key.type !== 'Identifier') continue
        const params = member.function.params.map(({ pat }) => pat).find(isParams)
        if (params) scope.methods.set(member.key.value, () => shapeOf(scope, annotated(params)))
      }
  }
}

function isParams(pattern: Pattern): pattern is BindingIdentifier {
  return pattern.type === 'Identifier' && 'value' in pattern && pattern.value === 'params'
}

export function parametersOf(module: Scope, method: string): Fields {
  return fieldsOf(had(module.methods.get(method), method)(), method)
}
