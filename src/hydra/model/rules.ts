import { getMetadataStorage } from 'class-validator'
import type { ValidationMetadata } from 'class-validator/types/metadata/ValidationMetadata.js'
import type { Class } from './class.ts'

/** A rule of class-validator on a property: its name (`isInt`) and what it was given. */
export interface Rule {
  name: string
  arguments: unknown[]
  each: boolean
}

/** The rules of one property. */
export interface Rules {
  list: Rule[]
  required: boolean
  nullable: boolean
}

/** How class-validator calls `@IsOptional()` and `@ValidateIf()` in its metadata. */
const conditional = 'conditionalValidation'

/** The rules of class-validator on each property. Its conditions tell whether it is optional or nullable. */
export function rulesOf(type: Class): Map<string, Rules> {
  const storage = getMetadataStorage()
  const byName = storage.groupByPropertyName(storage.getTargetValidationMetadatas(type, '', false, false))
  return new Map(
    Object.entries(byName).map(([name, list]) => {
      const conditions = list.filter((rule) => rule.type === conditional)
      const judged = (value: unknown) =>
        conditions.every(({ constraints: [condition] }) => condition({ [name]: value }, value))
      const rules = list.filter((rule) => rule.type !== conditional)
      return [
        name,
        {
          list: rules.map((rule) => ({ name: ruleName(rule), arguments: rule.constraints ?? [], each: rule.each })),
          required: judged(undefined),
          nullable: !judged(null),
        },
      ]
    }),
  )
}

function ruleName(rule: Pick<ValidationMetadata, 'name' | 'type' | 'constraintCls'>): string {
  const [constraint] = getMetadataStorage().getTargetValidatorConstraints(rule.constraintCls) ?? []
  return rule.name ?? constraint?.name ?? rule.type
}
