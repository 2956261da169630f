import { LiveUpdates } from './live-updates.ts'

// Pages work without this script.
customElements.define('live-updates', LiveUpdates)
