import { type ValidationArguments, ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator'

const peerOf = ({ object, constraints: [peer] }: ValidationArguments): { peer: string; value: unknown } => ({
  peer,
  value: (object as Record<string, unknown>)[peer],
})

/** Whether a value can be compared: one that is missing or of the wrong type has its own rule, and no place among others. */
const isPlaced = (value: unknown): boolean =>
  typeof value === 'number' || (value instanceof Date && !Number.isNaN(+value))

/** This value lies above that of the property it names, where both are given. */
@ValidatorConstraint({ name: 'above' })
export class IsAbove implements ValidatorConstraintInterface {
  validate(value: unknown, args: ValidationArguments): boolean {
    const { value: floor } = peerOf(args)
    return !isPlaced(floor) || (value as number) > (floor as number)
  }

  defaultMessage(args: ValidationArguments): string {
    return `${args.property} must be after ${peerOf(args).peer}`
  }
}

/** This value is another than that of the property it names, where both are given. */
@ValidatorConstraint({ name: 'differs' })
export class DiffersFrom implements ValidatorConstraintInterface {
  validate(value: unknown, args: ValidationArguments): boolean {
    return value !== peerOf(args).value
  }

  defaultMessage(args: ValidationArguments): string {
    return `${args.property} must differ from ${peerOf(args).peer}; 0 to 24 is the whole day`
  }
}

/** This value lies in the closed interval between the two properties it names; what is sent in the form named third is moved first. */
@ValidatorConstraint({ name: 'within' })
export class IsWithin implements ValidatorConstraintInterface {
  validate(value: unknown, { object, constraints: [from, to] }: ValidationArguments): boolean {
    const window = object as Record<string, Date>
    const known = isPlaced(window[from]) && isPlaced(window[to])
    return !known || ((value as Date) >= window[from] && (value as Date) <= window[to])
  }

  defaultMessage({ property, constraints: [from, to] }: ValidationArguments): string {
    return `${property} must lie between ${from} and ${to}`
  }
}

/** This value is given only together with that of the property it names; to be said of both. */
@ValidatorConstraint({ name: 'withPeer' })
export class GivenWith implements ValidatorConstraintInterface {
  validate(_value: unknown, args: ValidationArguments): boolean {
    return (peerOf(args).value ?? null) !== null
  }

  defaultMessage(args: ValidationArguments): string {
    return `${args.property} and ${peerOf(args).peer} must be given together or not at all`
  }
}
