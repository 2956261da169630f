import { CopyText } from './copy-text.ts'
import { LiveUpdates } from './live-updates.ts'
import { ReferenceLookup } from './reference-lookup.ts'
import { TimeZone } from './time-zone.ts'

// Pages work without this script.
customElements.define('copy-text', CopyText)
customElements.define('live-updates', LiveUpdates)
customElements.define('reference-lookup', ReferenceLookup)
customElements.define('time-zone', TimeZone)
