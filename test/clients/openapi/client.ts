import createClient from 'openapi-fetch'
import type { components, paths } from './generated/api.js'

type Violation = components['schemas']['problem.violations']['violations'][number]

/** Of the forms that answers have, those that the client reads. */
type Json = 'application/json' | 'application/problem+json'

/** What a typed client does with the API; each property is read from a typed answer. */
export async function useApi(baseUrl: string, token: string, image: Blob) {
  const client = createClient<paths, Json>({ baseUrl, headers: { Authorization: `Bearer ${token}` } })

  const created = await client.POST('/locations', { body: { name: 'Delft', officeOpenHour: 8, officeCloseHour: 17 } })
  if (!created.data) throw new Error(created.error?.detail)
  const id = created.data['@id'].split('/').at(-1) ?? ''
  const hours: [number | null | undefined, number | null | undefined] = [
    created.data.officeOpenHour,
    created.data.officeCloseHour,
  ]

  const updated = await client.PATCH('/locations/{id}', {
    params: { path: { id }, header: { 'If-Match': created.response.headers.get('ETag') ?? '' } },
    body: { officeCloseHour: 18 },
  })
  const stale = await client.PATCH('/locations/{id}', {
    params: { path: { id }, header: { 'If-Match': created.response.headers.get('ETag') ?? '' } },
    body: { officeCloseHour: 19 },
  })

  const refused = await client.POST('/locations', { body: { name: '', officeOpenHour: 25 } })
  const violations: Violation[] = refused.error && 'violations' in refused.error ? refused.error.violations : []

  const uploaded = await client.POST('/organizations/logo', {
    // openapi-typescript types a file as a string.
    body: { file: image as unknown as string },
    bodySerializer: ({ file }) => {
      const form = new FormData()
      form.append('file', file as unknown as Blob, 'logo.png')
      return form
    },
  })

  const { data: first } = await client.GET('/locations', {
    params: { query: { 'name[]': ['delf', 'rotter'], 'order[name]': 'desc', itemsPerPage: 1 } },
  })
  const { data: few } = await client.GET('/locations', {
    params: { query: { 'id[]': [created.data['@id']], 'officeOpenHour[gte]': 8, 'exists[officeCloseHour]': true } },
  })

  return {
    created: { status: created.response.status, type: created.data['@type'], id, hours },
    updated: { status: updated.response.status, hours: [updated.data?.officeOpenHour, updated.data?.officeCloseHour] },
    stale: { status: stale.response.status, detail: stale.error?.detail },
    refused: { status: refused.response.status, paths: violations.map(({ propertyPath }) => propertyPath) },
    uploaded: { status: uploaded.response.status, logo: uploaded.data?.logo },
    listed: { names: first?.member.map(({ name }) => name), total: first?.totalItems, next: first?.view?.next },
    found: few?.member.map((member) => member['@id']),
  }
}

/** Each line is an error of types: TypeScript fails where one is none. */
export async function mistakes(client: ReturnType<typeof createClient<paths, Json>>) {
  // @ts-expect-error: a location has a name
  await client.POST('/locations', { body: { officeOpenHour: 8 } })
  // @ts-expect-error: hours are numbers
  await client.POST('/locations', { body: { name: 'x', officeOpenHour: 'eight' } })
  // @ts-expect-error: there is no such path
  await client.GET('/locaties')
  // @ts-expect-error: languages cannot be changed
  await client.PATCH('/languages/{id}', { params: { path: { id: 'nl' } }, body: {} })
  // @ts-expect-error: the role is one of three
  await client.POST('/organization-user-invitations', { body: { email: 'a@example.com', role: 'boss' } })
  // @ts-expect-error: an order is asc or desc
  await client.GET('/locations', { params: { query: { 'order[name]': 'up' } } })
  // @ts-expect-error: several values are a list
  await client.GET('/meetings', { params: { query: { 'employee[]': '/employees/1' } } })
  // @ts-expect-error: there is no such filter
  await client.GET('/locations', { params: { query: { city: 'Delft' } } })
  const { data } = await client.GET('/locations/{id}', { params: { path: { id: 'x' } } })
  // @ts-expect-error: the IRI of a node is only read
  if (data) data['@id'] = '/locations/x'
}
