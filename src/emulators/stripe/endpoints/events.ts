import { listPage, listParameters } from '../http/list-pages.ts'
import { flag, text, texts } from '../http/parameter-values.ts'
import { pathObject, type Route } from '../http/route.ts'

export const events: Route[] = [
  {
    method: 'GET',
    path: '/v1/events',
    parameters: `${listParameters} type types delivery_success`,
    handle({ account, params }) {
      const [type, types, delivered] = [text(params, 'type'), texts(params, 'types'), flag(params, 'delivery_success')]
      return listPage(account, 'event', params, '/v1/events', (event) => {
        return (
          (!type || matches(event.type, type)) &&
          (!types.length || types.some((wanted) => matches(event.type, wanted))) &&
          (delivered === undefined || delivered === (event.pending_webhooks === 0))
        )
      })
    },
  },
  { method: 'GET', path: '/v1/events/{id}', handle: (call) => pathObject(call, 'event') },
]

/** `invoice.*` means all of them. */
function matches(type: string, wanted: string): boolean {
  return wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted
}
