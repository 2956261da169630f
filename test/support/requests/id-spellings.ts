import { openWorld } from '../world.ts'

const { publicUrl } = await openWorld()

/** Ways to write the id of a row that might slip past a check. */
export const idSpellings = (id: string, path: string): string[] => [
  id.toUpperCase(),
  `{${id}}`,
  `%7B${id}%7D`,
  `"${id}"`,
  id.replaceAll('-', ''),
  `urn:uuid:${id}`,
  [...id].map((character) => `%${character.charCodeAt(0).toString(16)}`).join(''),
  `${id}/`,
  `${id}//`,
  `/${id}`,
  `./${id}`,
  `../${path.slice(1)}/${id}`,
  `..%2f${path.slice(1)}%2f${id}`,
  `%2e%2e/${path.slice(1)}/${id}`,
  `${id}%00`,
  `${id}%20`,
  `${id};x=1`,
  `${id}.jsonld`,
  `${id},${id}`,
  encodeURIComponent(`${publicUrl}${path}/${id}`),
  encodeURIComponent(`' OR id = '${id}`),
]

/** Spellings of an IRI that name no resource of this server. */
export const invalidIris = (path: string, id: string): string[] => [
  `https://elsewhere.example${path}/${id}`,
  `//elsewhere.example${path}/${id}`,
  `${publicUrl}.elsewhere.example${path}/${id}`,
  `${publicUrl}/..${path}/${id}`,
  `/x/..${path}/${id}`,
  `/..${path}/${id}`,
  `/${path}/${id}`,
  `${path}/${id}/`,
  `${path}/{${id}}`,
  `${path.toUpperCase()}/${id}`,
  `${path}/${id}?x=1`,
  `${path}/${id}#x`,
  `${path}/ ${id}`,
  `${path}/../${path}/${id}`,
  path,
  `${path}/`,
  id,
  '',
]

/** The forms in which a body can name something. */
export const referenceForms: Record<string, (name: string, iri: string, type: string) => object> = {
  'a path': (name, iri) => ({ [name]: iri }),
  'a URL': (name, iri) => ({ [name]: publicUrl + iri }),
  'a node': (name, iri) => ({ [name]: { '@id': iri } }),
  'a node of a class': (name, iri) => ({ [name]: { '@id': publicUrl + iri, '@type': 'Thing' } }),
  'itself, too': (name, iri) => ({ '@id': iri, id: iri.split('/')[2], [name]: iri }),
  'a term of its own context': (name, iri, type) => ({
    '@context': [`/contexts/${type}`, { also: 'urn:also' }],
    [name]: iri,
  }),
}
