import { type ValidationArguments, ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator'

const peerOf = ({ object, constraints: [peer] }: ValidationArguments): { peer: string; value: unknown } => ({
  peer,
  value: (object as Record<string, unknown>)[peer],
})

/** Whether a value can be compared. A value that is missing or of the wrong type is reported by its own rule. */
const isComparable = (value: unknown): boolean =>
  typeof value === 'number' || (value instanceof Date && !Number.isNaN(+value))

/** The value must be above that of the property that it names, where both are given. */
@ValidatorConstraint({ name: 'above' })
export class IsAbove implements ValidatorConstraintInterface {
  validate(value: unknown, args: ValidationArguments): boolean {
    const { value: minimum } = peerOf(args)
    return !isComparable(minimum) || (value as number) > (minimum as number)
  }

  defaultMessage(args: ValidationArguments): string {
    return `${args.property} must be after ${peerOf(args).peer}`
  }
}

/** The value must differ from that of the property that it names, where both are given. */
@ValidatorConstraint({ name: 'differs' })
export class DiffersFrom implements ValidatorConstraintInterface {
  validate(value: unknown, args: ValidationArguments): boolean {
    return value !== peerOf(args).value
  }

  defaultMessage(args: ValidationArguments): string {
    return `${args.property} must differ from ${peerOf(args).peer}; 0 to 24 means the whole day`
  }
}

/**
 * The value must lie between those of the two properties that it names, both included.
 * A value that matches the third constraint, a pattern, is converted first; the documentation mentions it.
 */
@ValidatorConstraint({ name: 'within' })
export class IsWithin implements ValidatorConstraintInterface {
  validate(value: unknown, { object, constraints: [from, to] }: ValidationArguments): boolean {
    const window = object as Record<string, Date>
    const known = isComparable(window[from]) && isComparable(window[to])
    return !known || ((value as Date) >= window[from] && (value as Date) <= window[to])
  }

  defaultMessage({ property, constraints: [from, to] }: ValidationArguments): string {
    return `${property} must lie between ${from} and ${to}`
  }
}

/** The value must be given together with that of the property that it names. Both properties need the rule. */
@ValidatorConstraint({ name: 'withPeer' })
export class GivenWith implements ValidatorConstraintInterface {
  validate(_value: unknown, args: ValidationArguments): boolean {
    return (peerOf(args).value ?? null) !== null
  }

  defaultMessage(args: ValidationArguments): string {
    return `${args.property} and ${peerOf(args).peer} must be given together or not at all`
  }
}
