import type { TsEntityName } from '@swc/core'
import type { Shape } from '../../../../src/emulators/stripe/http/parameters.ts'
import { had } from './shapes.ts'

/** The names that one file or namespace declares, and those around it. */
export interface Scope {
  types: Map<string, () => Shape>
  namespaces: Map<string, Scope>
  methods: Map<string, () => Shape>
  around?: Scope
}

/** Looks a name up where it stands, then in what is around it, as TypeScript does. */
export function resolve(scope: Scope, name: TsEntityName): Shape {
  const path = pathOf(name)
  const last = had(path.pop(), 'a name')
  for (let at: Scope | undefined = scope; at; at = at.around) {
    const within: Scope | undefined = path.reduce((inner: Scope | undefined, one) => inner?.namespaces.get(one), at)
    const found = within?.types.get(last)
    if (found) return found()
  }
  throw new Error(`${[...path, last].join('.')} is declared nowhere.`)
}

function pathOf(name: TsEntityName): string[] {
  return name.type === 'Identifier' ? [name.value] : [...pathOf(name.left), name.right.value]
}
