import { fetchHydra, HydraAdmin, hydraDataProvider } from '@api-platform/admin'
import { parseHydraDocumentation } from '@api-platform/api-doc-parser'
import { createRoot } from 'react-dom/client'

/** The admin as its own documentation sets it up for an API with tokens; both names are given when it is bundled. */
/* global entrypoint, authorization */
const dataProvider = hydraDataProvider({
  entrypoint,
  mercure: false,
  httpClient: (url, options = {}) =>
    fetchHydra(url, { ...options, user: { authenticated: true, token: authorization } }),
  apiDocumentationParser: () => parseHydraDocumentation(entrypoint, { headers: { Authorization: authorization } }),
})

createRoot(document.querySelector('main')).render(
  <HydraAdmin entrypoint={entrypoint} dataProvider={dataProvider} disableTelemetry />,
)
