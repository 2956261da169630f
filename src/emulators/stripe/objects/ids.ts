import { createHash, randomBytes } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Makes ids that look like Stripe's; two accounts never make the same, unless they are given the same seed. */
export class Ids {
  private count = 0

  constructor(private readonly seed = randomBytes(16).toString('hex')) {}

  next(prefix: string, length = 24): string {
    return `${prefix}${this.letters(length)}`
  }

  letters(length: number): string {
    const bytes = createHash('sha512')
      .update(`${this.seed} ${++this.count}`)
      .digest()
    return Array.from(bytes.subarray(0, length), (byte) => alphabet[byte % alphabet.length]).join('')
  }
}
