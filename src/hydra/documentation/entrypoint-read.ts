/** The operation that reads the entrypoint, as every documentation describes it. */
export const entrypointRead = {
  name: 'read',
  fragment: 'readEntrypoint',
  path: '/',
  title: 'Read the entrypoint',
  description: 'The API Entrypoint.',
  statuses: [200, 304, 406, 429, 503],
}
