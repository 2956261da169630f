import uriTemplate from 'uri-template'
import { parseTemplate } from 'url-template'
import { collections, rows } from '../formats/representations.ts'
import { openWorld } from '../support/world.ts'

const { api } = await openWorld()

interface Mapping {
  variable: string
  property: string
}
type Values = Record<string, string | string[]>

/** The names and modifiers of a variable (RFC 6570, sections 2.3 and 3.2.1). */
const expression = /^\{\?((?:[A-Za-z0-9_.]|%[0-9A-F]{2})+\*?)(,(?:[A-Za-z0-9_.]|%[0-9A-F]{2})+\*?)*\}$/

const expanders: [name: string, expand: (template: string, values: Values) => string][] = [
  ['uri-template', (template, values) => uriTemplate.parse(template).expand(values)],
  ['url-template', (template, values) => parseTemplate(template).expand(values)],
]
const paths = [...collections, `/subscriptions/${rows.Subscription.id}/invoices`]
const searchOf = async (path: string): Promise<{ template: string; mapping: Mapping[] }> =>
  (await api.get(path)).body.search
const variablesOf = (template: string) =>
  template
    .slice(template.indexOf('{?') + 2, -1)
    .split(',')
    .map((variable) => variable.replace('*', ''))

/** A valid value of a variable. */
function validValue(variable: string, path: string): string {
  const name = decodeURIComponent(variable)
  if (/^(page|itemsPerPage)$/.test(name)) return '1'
  if (name.startsWith('order[')) return 'desc'
  if (name === 'properties[]') return '@type'
  if (/\[(before|after|strictly_\w+)\]$/.test(name)) return '2026-04-01T08:00:00+02:00'
  if (name.endsWith('[between]')) return '1..2'
  if (name.startsWith('exists[') || /^(active|demo|enabled|preferred)\b/.test(name)) return 'true'
  if (/\[(gte?|lte?)\]$/.test(name)) return '5'
  if (path === '/languages') return 'nl'
  return /^country\b/.test(name) || path === '/countries' ? 'NL' : '01900000-0000-7000-8000-00000000000a'
}

describe.each(expanders)('%s', (_, expand) => {
  test.each(paths)(
    'expands the template of %s with all of its variables, and the server accepts them',
    async (path) => {
      const { template } = await searchOf(path)
      expect(template.slice(0, path.length)).toBe(path)
      expect(template.slice(path.length)).toMatch(expression)
      expect(expand(template, {})).toBe(path)
      const variables = variablesOf(template)
      const values = variables.map((variable): [string, string | string[]] => {
        const value = validValue(variable, path)
        return [variable, template.includes(`${variable}*`) ? [value] : value]
      })
      const url = expand(template, Object.fromEntries(values))
      expect(
        url
          .split(/[?&]/)
          .slice(1)
          .map((pair) => pair.split('=').length),
      ).toEqual(variables.map(() => 2))
      const { status, body } = await api.get(url).set('Prefer', 'handling=strict')
      expect([url, status, body.detail]).toEqual([url, 200, undefined])
    },
  )

  test('filters a list by one or several values', async () => {
    const { template } = await searchOf('/meetings')
    const { id } = rows.Meeting
    const employee = `/employees/${rows.Employee.id}`
    const nobody = '/employees/01900000-0000-7000-8000-00000000000a'
    const found = async (values: Values) => (await api.get(expand(template, values))).body.totalItems
    expect(await found({ 'employee%5B%5D': [nobody, employee] })).toBe(1)
    expect(await found({ 'employee%5B%5D': [nobody] })).toBe(0)
    expect(await found({ 'id%5B%5D': [id], 'dateFrom%5Bafter%5D': '2000-01-01T00:00:00Z' })).toBe(1)
    expect(await found({ 'id%5B%5D': [id], 'dateFrom%5Bbefore%5D': '2000-01-01T00:00:00Z' })).toBe(0)
    const url = expand(template, { 'properties%5B%5D': ['notes', 'time'], 'order%5BdateFrom%5D': 'desc' })
    const [member] = (await api.get(url)).body.member
    expect(Object.keys(member)).toEqual(['@id', '@type', 'notes', 'time'])
  })

  test('follows the pages of a filtered list', async () => {
    const { template } = await searchOf('/organization-users')
    const url = expand(template, { 'role%5B%5D': ['owner', 'admin', 'member'], itemsPerPage: '2' })
    const { view } = (await api.get(url)).body
    const next = (await api.get(view.next)).body
    expect([next.totalItems, next.member.length]).toEqual([3, 1])
  })
})

test.each(paths)('every variable of %s has a mapping, also by the name of API Platform', async (path) => {
  const { template, mapping } = await searchOf(path)
  const mapped = mapping.map(({ variable }) => variable)
  const variables = variablesOf(template)
  expect(new Set(mapped).size).toBe(mapped.length)
  expect(mapped.filter((variable) => !variable.includes('['))).toEqual(variables)
  expect(mapped.filter((variable) => variable.includes('['))).toEqual(
    variables.filter((variable) => variable.includes('%5B')).map(decodeURIComponent),
  )
  expect(mapped).toContain('properties[]')
})
