import { quote } from '../start/quote.ts'
import type { Variables } from './variables.ts'

/** The hosts that webhooks may reach at private addresses and by http, such as `localhost:4000`; none by default. */
export function readAllowedHosts(variables: Variables): string[] {
  return variables.list('WEBHOOK_ALLOWED_HOSTS', variables.text('WEBHOOK_ALLOWED_HOSTS')).flatMap((text) => {
    const url = URL.canParse(`http://${text}`) ? new URL(`http://${text}`) : undefined
    if (url && url.pathname === '/' && !/[/?#@]/.test(text)) return [text.endsWith(':80') ? url.hostname : url.host]
    const example = 'localhost:4000 or receiver.internal'
    return variables.addError(`WEBHOOK_ALLOWED_HOSTS must name hosts, such as ${example}, not ${quote(text)}.`) ?? []
  })
}
