import { CopyButton } from './copy-button.ts'
import { LiveUpdates } from './live-updates.ts'
import { LocalTime } from './local-time.ts'

// Pages work without this script.
customElements.define('live-updates', LiveUpdates)
customElements.define('local-time', LocalTime)
customElements.define('copy-button', CopyButton)
