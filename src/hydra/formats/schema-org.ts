/** schema.org IRIs mean the same with http and https. */
export const withHttpsSchemaOrg = (iri: string) => iri.replace(/^http:\/\/schema\.org\//, 'https://schema.org/')
