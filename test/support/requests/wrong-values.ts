import type { Field, Shape } from '../../../src/hydra/model/shape.ts'

/** Values, as JSON has them, that this property never takes. */
export function wrongValues({ name: type }: Shape, { name, kind, datatype, nullable }: Field, path?: string): string[] {
  const own = special[`${type}.${name}`]
  if (own) return own
  return [
    ...anywhere,
    ...(nullable ? [] : ['null']),
    ...wrong[kind === 'value' ? (datatype as string) : 'reference'],
    ...(path ? astray(path) : []),
  ]
}

const tooLong = (length = 100_000) => JSON.stringify('x'.repeat(length))
const uuid = '01900000-0000-7000-8000-00000000000a'

/** Values that no property takes, then values that no property of a kind takes. */
const anywhere = ['{}', '[]', '[[]]', '{"__proto__":{"x":1}}', '[{"constructor":1}]', '"\\u0000"', '"\\ud800"']
const wrong: Record<string, string[]> = {
  'xsd:string': ['5', '1.5', 'true', '1e400', '["x"]', '[null]', tooLong()],
  'xsd:integer': [
    ...['"5"', '"x"', '""', '1.5', '1e400', '-1e400', '2147483648', '-2147483649', '9007199254740993'],
    ...['-1', '"NaN"', '"Infinity"', 'true', '[5]', '1e30'],
  ],
  'xsd:boolean': ['"true"', '1', '0', '""', '"false"', '[true]'],
  'xsd:dateTime': [
    '"x"',
    '""',
    '5',
    'true',
    '"NaN"',
    '"infinity"',
    '"2026-02-30T00:00:00Z"',
    '"+275760-09-13T00:00:00Z"',
  ],
  'xsd:date': ['"x"', '""', '5', 'true', '"2026-02-30"', '"2026-W01-1"', '"infinity"', '"99999-01-01"'],
  reference: [
    ...[
      '5',
      'true',
      '""',
      '"x"',
      '"/"',
      '"/meetings"',
      '"//"',
      '"http://["',
      '"/errors/404"',
      '{"@id":5}',
      '{"@id":null}',
    ],
    ...[`"${uuid}"`, '["/employees/1"]', '"/%E0%A4%A"', tooLong()],
  ],
}

/** The same for the path that a reference leads to. */
const astray = (path: string) =>
  [
    ...['', '1', '%00', '\0', '\ud800', '..', '%2e%2e%2f', '%E0%A4%A', '__proto__', 'constructor', "' OR 1=1 --", '*'],
    ...[uuid, uuid.toUpperCase(), `{${uuid}}`, `${uuid}/`, `${uuid}%20`, ` ${uuid}`, uuid.replaceAll('-', '')],
  ]
    .flatMap((id) => [`${path}/${id}`, `https://elsewhere.example${path}/${id}`])
    .map((iri) => JSON.stringify(iri))

/** Values that only the rules of the property refuse. */
const special: Record<string, string[]> = {
  'Subscription.metadata': [
    ...[
      '5',
      'null',
      '"x"',
      '{}',
      '{"0":{"name":"a","value":"b"}}',
      '[5]',
      '[null]',
      '[[]]',
      '[[[{"name":"a"}]]]',
      '[{}]',
    ],
    ...['[{"name":"a","value":5}]', '[{"name":"a","value":"\\ud800"}]', '[{"name":"a\\u0000","value":""}]'],
    ...['[{"name":"organization","value":""}]', '[{"name":"a","value":""},{"name":"a","value":""}]', tooLong(5)],
    ...[`[{"name":${tooLong(41)},"value":""}]`, `[{"name":"a","value":${tooLong(501)}}]`],
    `[${Array.from({ length: 21 }, (_, n) => `{"name":"n${n}","value":""}`)}]`,
    '[{"name":"a","value":{"__proto__":{"x":1}}}]',
  ],
  'WebhookEndpoint.events': [
    ...['{}', '[[]]', '"invoice.pay"', 'null', '5', '[5]', '[null]', '[{"constructor":1}]'],
    ...['["INVOICE.PAY"]', '["invoice.pay","invoice.pay"]', JSON.stringify(Array(101).fill('*'))],
  ],
  'Subscription.modules': [
    ...[
      '5',
      'null',
      '"planning"',
      '{}',
      '[5]',
      '[null]',
      '[[]]',
      '["__proto__"]',
      '["planning","planning"]',
      '["\\ud800"]',
    ],
    `[${Array.from({ length: 5000 }, () => '"planning"')}]`,
  ],
  'OrganizationConfig.value': [
    ...['5', 'null', '""', '{}', '[]', '["EUR"]', 'true', '"eur"', '"__proto__"', '"\\ud800"', '"E\\u0000R"', '1e400'],
    ...['{"a":{"b":"\\ud800"}}', '{"\\ud800":1}', '{"__proto__":{"a":1}}', tooLong()],
  ],
}
