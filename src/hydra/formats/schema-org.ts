/** schema.org is written with either scheme, and means the same. */
export const schemaOrgIris = (iri: string) => iri.replace(/^http:\/\/schema\.org\//, 'https://schema.org/')
