import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { needsRotation, open, readKeys, seal } from '../../src/secrets/sealed-text.ts'

const [older, newer] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
const keys = readKeys(older)
const place = { table: 'integration', id: '0191', organization: '0042' }

test('every sealed text opens, and sealing it twice gives different texts', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const sealed = seal(text, keys, place)
      expect(open(sealed, keys, place)).toBe(text)
      expect(seal(text, keys, place)).not.toBe(sealed)
    }),
  )
})

test('a secret opens in its own row only', () => {
  const sealed = seal('ma-42', keys, place)
  for (const other of [{ id: '0192' }, { organization: '0043' }, { table: 'integrations' }])
    expect(() => open(sealed, keys, { ...place, ...other })).toThrow('was altered, or was sealed for another row')
  const shifted = { table: 'integration', id: '0191|4:004', organization: '2' }
  expect(() => open(sealed, keys, shifted)).toThrow('altered')
})

test('a secret with a changed character does not open', () => {
  const sealed = seal('ma-42', keys, place)
  for (let index = 0; index < sealed.length; index++) {
    const changed = sealed[index] === 'A' ? 'B' : 'A'
    const altered = sealed.slice(0, index) + changed + sealed.slice(index + 1)
    if (altered !== sealed && !sameBytes(altered, sealed)) expect(() => open(altered, keys, place)).toThrow(/secret/)
  }
  expect(() => open(sealed.slice(0, -5), keys, place)).toThrow('altered')
  expect(() => open('ma-42', keys, place)).toThrow('The text is not a sealed secret.')
})

/** The last character of base64 may hold unused bits. */
function sameBytes(one: string, other: string): boolean {
  const bytes = (text: string) =>
    text.split('.').map((part, index) => (index < 2 ? part : Buffer.from(part, 'base64url').toString('hex')))
  return bytes(one).join() === bytes(other).join()
}

test('keys are rotated by prepending a new one', () => {
  const sealed = seal('ma-42', keys, place)
  const both = readKeys(` ${newer} , ${older}`)
  expect(open(sealed, both, place)).toBe('ma-42')
  expect(needsRotation(sealed, both)).toBe(true)
  const again = seal('ma-42', both, place)
  expect(needsRotation(again, both)).toBe(false)
  expect(open(again, readKeys(newer), place)).toBe('ma-42')
  expect(() => open(again, keys, place)).toThrow(/SECRETS_KEY lacks the key [0-9a-f]{8}/)
})

test.each([
  ['', 'must hold a key'],
  [' , ', 'must hold a key'],
  ['secret', '32 bytes'],
  [randomBytes(31).toString('base64'), '32 bytes'],
  [randomBytes(32).toString('hex'), '32 bytes'],
  [`${older},${older}`, 'twice'],
])('%j is no SECRETS_KEY', (text, message) => {
  expect(() => readKeys(text)).toThrow(message)
})

test('a key appears in no output', () => {
  expect(inspect(keys, { depth: 9, showHidden: true })).not.toContain(older.slice(0, 10))
  expect(JSON.stringify(keys)).not.toContain(older.slice(0, 10))
  const wrong = randomBytes(31).toString('base64')
  expect(() => readKeys(wrong)).toThrow(expect.not.objectContaining({ message: expect.stringContaining(wrong) }))
})
