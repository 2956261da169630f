import { quote } from '../start/quote.ts'
import type { Variables } from './variables.ts'

/** The hosts that webhooks may reach at private addresses and by http, such as `localhost:4000`; none by default. */
export function readAllowedHosts(variables: Variables): string[] {
  return variables.list('WEBHOOK_ALLOWED_HOSTS', variables.text('WEBHOOK_ALLOWED_HOSTS')).flatMap((text) => {
    const host = /[/\\?#@]|:$/.test(text) ? undefined : readHost(text)
    if (host) return [host]
    const example = 'localhost:4000 or receiver.internal'
    return variables.addError(`WEBHOOK_ALLOWED_HOSTS must name hosts, such as ${example}, not ${quote(text)}.`) ?? []
  })
}

/** The host as URLs spell it. A URL leaves out the port of its own scheme, so the port is read under two schemes. */
function readHost(text: string): string | undefined {
  if (!URL.canParse(`http://${text}`)) return undefined
  const [http, https] = ['http', 'https'].map((scheme) => new URL(`${scheme}://${text}`))
  return http.port === '' ? https.host : http.host
}
