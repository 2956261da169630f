/** The classes of error documents: the members of RFC 9457, and Hydra's terms beside them. */
export function errorClasses(): object[] {
  const error = [
    ['type', '#Error/type', 'xsd:anyURI'],
    ['title', 'hydra:title', 'xsd:string'],
    ['status', '#Error/status', 'xsd:integer'],
    ['detail', '#Error/detail', 'xsd:string'],
    ['description', 'hydra:description', 'xsd:string'],
    ['code', '#code', 'xsd:string'],
  ]
  const violation = [
    ['propertyPath', '#propertyPath', 'xsd:string'],
    ['message', '#message', 'xsd:string'],
    ['code', '#code', 'xsd:string'],
  ]
  return [
    errorClass('Error', 'hydra:Error', error),
    errorClass('ConstraintViolation', '#Error', [...error, ['violations', '#violations', 'xsd:array']]),
    errorClass('Violation', undefined, violation),
  ]
}

function errorClass(name: string, parent: string | undefined, properties: string[][]): object {
  return {
    '@id': `#${name}`,
    '@type': 'Class',
    title: name,
    ...(parent && { subClassOf: parent }),
    supportedProperty: properties.map(([title, iri, range]) => ({
      '@type': 'SupportedProperty',
      property: { '@id': iri, '@type': 'rdf:Property', label: title, domain: `#${name}`, range },
      title,
      required: false,
      readable: true,
      writeable: false,
      writable: false,
    })),
    supportedOperation: [],
  }
}
