import type { TsType, TsTypeElement } from '@swc/core'
import type { Fields, Shape } from '../../../../src/emulators/stripe/http/parameters.ts'
import { resolve, type Scope } from './scope.ts'
import { choices, had, union } from './shapes.ts'

/** The types call every number `number`; these may have a fraction, all others are integers. */
const fractions = ['application_fee_percent', 'amount_percent', 'percent_off', 'height', 'length', 'weight', 'width']

export function shapeOf(scope: Scope, type: TsType): Shape {
  switch (type.type) {
    case 'TsKeywordType':
      if (type.kind === 'null') return ''
      if (type.kind === 'number') return 'integer'
      if (type.kind === 'string' || type.kind === 'boolean') return type.kind
      break
    case 'TsLiteralType':
      if (type.literal.type === 'StringLiteral') return type.literal.value === '' ? '' : { enum: [type.literal.value] }
      break
    case 'TsTypeLiteral':
      return membersOf(scope, type.members)
    case 'TsUnionType':
      return union(type.types.filter((one) => nameOf(one) !== 'OtherString').map((one) => shapeOf(scope, one)))
    case 'TsTypeReference': {
      const of = () => shapeOf(scope, had(type.typeParams?.params[0], 'a type parameter'))
      const name = nameOf(type)
      if (name === 'Array') return { array: of() }
      if (name === 'Emptyable') return union(['', of()])
      if (name === 'Decimal') return 'number'
      return resolve(scope, type.typeName)
    }
  }
  throw new Error(`No shape is known for ${JSON.stringify(type)}.`)
}

function nameOf(type: TsType): string | undefined {
  return type.type === 'TsTypeReference' && type.typeName.type === 'Identifier' ? type.typeName.value : undefined
}

export function membersOf(scope: Scope, members: TsTypeElement[]): Shape {
  const fields: Fields = { object: {} }
  for (const member of members) {
    if (member.type === 'TsIndexSignature') return { map: shapeOf(scope, annotated(member)) }
    if (member.type !== 'TsPropertySignature' || member.key.type !== 'Identifier') throw new Error(member.type)
    const name = member.key.value
    fields.object[name] = fractions.includes(name) ? fraction(annotated(member)) : shapeOf(scope, annotated(member))
    if (!member.optional) fields.required = [...(fields.required ?? []), name]
  }
  return fields

  function fraction(type: TsType): Shape {
    return union(choices(shapeOf(scope, type)).map((one) => (one === 'integer' ? 'number' : one)))
  }
}

export function annotated(member: { typeAnnotation?: { typeAnnotation: TsType } }): TsType {
  return had(member.typeAnnotation, 'a type').typeAnnotation
}
