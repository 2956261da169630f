/** The reference's own words in one language. */
export interface ReferenceWords {
  title: string
  intro: string
  formats: string
  contents: string
  others: { title: string; about: string }
  inputs: { title: string; about: string }
  documents: { title: string; about: string }
  endpoints: string
  fields: string
  field: string
  type: string
  description: string
  method: string
  path: string
  roles: string
  statuses: string
  statusesAbout: string
  required: string
  noToken: string
  anyToken: string
  body: string
  oneOf: string
  writtenBy(roles: string): string
  readOnly: string
  links: string
  linksAbout: string
  filters: string
  parameter: string
  /** The description of a filter, by its comparison. */
  filterBy: Record<string, (label: string, name: string) => string>
  orderBy: string
  everyCollection: string
  collectionParameters: [name: string, description: string][]
  example: string
  exampleAbout: string
  diagram: string
  diagramAbout: string
  diagramText: string
  refersTo: string
  refersToNothing: string
  many: string
  toTop: string
}

const en: ReferenceWords = {
  title: 'API reference',
  intro: 'Every resource of this API: its endpoints, its fields, its filters, and who may use them.',
  formats: 'The same for programs:',
  contents: 'Contents',
  others: { title: 'Other resources', about: 'Resources that belong to no other chapter.' },
  inputs: { title: 'Request bodies', about: 'Classes that only the bodies of requests have.' },
  documents: {
    title: 'Entrypoint, errors & changes',
    about: 'Documents that belong to no resource: the first one, those of errors, and the events of the stream.',
  },
  endpoints: 'Endpoints',
  fields: 'Schema fields',
  field: 'Field',
  type: 'Type',
  description: 'Description',
  method: 'Method',
  path: 'Path',
  roles: 'Roles',
  statuses: 'Statuses',
  statusesAbout: 'Every status that an operation of this API can return.',
  required: 'A field with * is required.',
  noToken: 'no token needed',
  anyToken: 'any token',
  body: 'Body',
  oneOf: 'One of',
  writtenBy: (roles) => `Written by ${roles}.`,
  readOnly: 'Read-only.',
  links: 'Links',
  linksAbout: 'An item has such a link while the operation can be used.',
  filters: 'Filters',
  parameter: 'Parameter',
  filterBy: {
    equals: (label, name) => `${label} is this. ${name}[] takes several values.`,
    partial: (label, name) => `${label} contains this text, in any case. ${name}[] takes several texts.`,
    before: (label) => `${label} is at this time or earlier.`,
    strictly_before: (label) => `${label} is earlier than this time.`,
    after: (label) => `${label} is at this time or later.`,
    strictly_after: (label) => `${label} is later than this time.`,
    gt: (label) => `${label} is greater than this.`,
    gte: (label) => `${label} is this or greater.`,
    lt: (label) => `${label} is less than this.`,
    lte: (label) => `${label} is this or less.`,
    between: (label) => `${label} lies between two numbers, such as 1..9.`,
    exists: (label) => `${label} has a value (true), or none (false).`,
    q: () => 'The texts of the item contain each of these words.',
    order: (label) => `Orders by ${label}: asc or desc.`,
  },
  orderBy: 'Order',
  everyCollection: 'Every collection also has:',
  collectionParameters: [
    ['page', 'The number of the page, from 1.'],
    ['itemsPerPage', 'The number of items on a page.'],
    ['properties[]', 'The properties to return.'],
  ],
  example: 'Example',
  exampleAbout: 'From the demo organization, as its owner reads it.',
  diagram: 'Class diagram',
  diagramAbout:
    'Every resource, and the fields that refer to other resources. A fork marks a list. Each name leads to its section.',
  diagramText: 'The class diagram as text',
  refersTo: 'refers to',
  refersToNothing: 'refers to no other resource',
  many: 'list',
  toTop: 'Back to the contents',
}

const nl: ReferenceWords = {
  title: 'API-referentie',
  intro: 'Elke resource van deze API: de endpoints, de velden, de filters, en wie ze mag gebruiken.',
  formats: 'Hetzelfde voor programma’s:',
  contents: 'Inhoud',
  others: { title: 'Andere resources', about: 'Resources die bij geen ander hoofdstuk horen.' },
  inputs: { title: 'Invoer', about: 'Klassen die alleen in de body van een verzoek voorkomen.' },
  documents: {
    title: 'Startdocument, fouten & wijzigingen',
    about: 'Documenten die bij geen resource horen: het eerste, die van fouten, en de events van de stroom.',
  },
  endpoints: 'Endpoints',
  fields: 'Schema-velden',
  field: 'Veld',
  type: 'Type',
  description: 'Beschrijving',
  method: 'Methode',
  path: 'Pad',
  roles: 'Rollen',
  statuses: 'Statussen',
  statusesAbout: 'Elke status die een bewerking van deze API kan geven.',
  required: 'Een veld met * is verplicht.',
  noToken: 'zonder token',
  anyToken: 'elk token',
  body: 'Body',
  oneOf: 'Een van',
  writtenBy: (roles) => `Te schrijven door ${roles}.`,
  readOnly: 'Alleen te lezen.',
  links: 'Links',
  linksAbout: 'Een item heeft zo’n link zolang de bewerking mogelijk is.',
  filters: 'Filters',
  parameter: 'Parameter',
  filterBy: {
    equals: (label, name) => `${label} is dit. ${name}[] neemt meerdere waarden.`,
    partial: (label, name) =>
      `${label} bevat deze tekst, in hoofd- of kleine letters. ${name}[] neemt meerdere teksten.`,
    before: (label) => `${label} is op dit tijdstip of eerder.`,
    strictly_before: (label) => `${label} is eerder dan dit tijdstip.`,
    after: (label) => `${label} is op dit tijdstip of later.`,
    strictly_after: (label) => `${label} is later dan dit tijdstip.`,
    gt: (label) => `${label} is groter dan dit.`,
    gte: (label) => `${label} is dit of groter.`,
    lt: (label) => `${label} is kleiner dan dit.`,
    lte: (label) => `${label} is dit of kleiner.`,
    between: (label) => `${label} ligt tussen twee getallen, zoals 1..9.`,
    exists: (label) => `${label} heeft een waarde (true), of geen (false).`,
    q: () => 'De teksten van het item bevatten elk van deze woorden.',
    order: (label) => `Sorteert op ${label}: asc of desc.`,
  },
  orderBy: 'Volgorde',
  everyCollection: 'Elke verzameling heeft ook:',
  collectionParameters: [
    ['page', 'Het nummer van de pagina, vanaf 1.'],
    ['itemsPerPage', 'Het aantal items op een pagina.'],
    ['properties[]', 'De eigenschappen die worden teruggegeven.'],
  ],
  example: 'Voorbeeld',
  exampleAbout: 'Uit de demo-organisatie, zoals de eigenaar het leest.',
  diagram: 'Klassendiagram',
  diagramAbout:
    'Elke resource, met de velden die naar andere resources verwijzen. Een vork is een lijst. Elke naam leidt naar het onderdeel.',
  diagramText: 'Het klassendiagram als tekst',
  refersTo: 'verwijst naar',
  refersToNothing: 'verwijst naar geen andere resource',
  many: 'lijst',
  toTop: 'Terug naar de inhoud',
}

/** The reference's own words, by language tag. */
export const referenceWords: Record<string, ReferenceWords> = { en, nl }
