import { OrganizationUser } from '../../entities/index.ts'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'
import { mebibyte, png, sized, svg } from './sample-images.ts'
import { shown, upload } from './upload-requests.ts'

const { api, as, elsewhere, foundTenant, given, organization, person, tenant } = await openWorld()

const { owner } = tenant.users

describe('An image', () => {
  test('is deleted when a new one replaces it, unless another organization uses it', async () => {
    const [bytes, next] = [await png(), await png()]
    const others = as(elsewhere.users.admin)
    const { logo } = (await upload('logo', bytes)).body
    await upload('icon', bytes)
    await upload('icon', bytes, 'x.png', others)

    await upload('logo', next)
    expect((await shown(logo)).status).toBe(200)
    await upload('icon', next)
    expect((await shown(logo)).status).toBe(200)
    await upload('icon', next, 'x.png', others)
    expectProblem((await as().get(logo)) as never, 404)
    expect((await upload('logo', bytes)).body.logo).toBe(logo)
    expect((await shown(logo)).status).toBe(200)
  })

  test('stays when its replacement is refused', async () => {
    const { logo } = (await upload('logo', await png())).body
    for (const bytes of [svg, Buffer.alloc(0), await sized(2 * mebibyte + 1)]) await upload('logo', bytes)
    expect((await api.get(`/organizations/${organization.id}`)).body.logo).toBe(logo)
    expect((await shown(logo)).status).toBe(200)
  })

  test('belongs to the organization that the token acts for, and stays when that is cleared', async () => {
    const mine = await foundTenant('Mine', 'mine', { demo: true })
    const theirs = (await as(owner).get(`/organizations/${organization.id}`)).body
    const both = await person('both')
    for (const { id } of [organization, mine.organization])
      await given(OrganizationUser, { user: both, organizationId: id, name: 'both', role: 'owner' })
    const agent = as(both, { organization: mine.organization.id })
    const { body } = await upload('logo', await png(), 'x.png', agent)
    expect(body['@id']).toBe(`/organizations/${mine.organization.id}`)
    expect((await as(owner).get(`/organizations/${organization.id}`)).body).toMatchObject({ logo: theirs.logo })

    const cleared = await as(mine.users.owner).post('/organizations/clear', { confirm: 'mine' })
    expect([cleared.status < 300, cleared.body.logo]).toEqual([true, body.logo])
    expect((await shown(body.logo)).status).toBe(200)
  })

  test('cannot be changed by a PATCH of its address, which may repeat the current one', async () => {
    const path = `/organizations/${organization.id}`
    const [{ logo }, { icon }] = [(await upload('logo', await png())).body, (await upload('icon', await png())).body]
    for (const other of [`/images/${'0'.repeat(64)}`, icon, 'x', '', 5, false, {}, [logo]]) {
      const { violations } = expectProblem((await api.patch(path, { logo: other, name: 'Acme' })) as never, 422) as {
        violations: { propertyPath: string; message: string }[]
      }
      expect(violations).toEqual([expect.objectContaining({ propertyPath: 'logo', code: 'isNull' })])
      expect(violations[0].message).toContain('/organizations/logo')
    }
    expect((await api.patch(path, { logo, icon, logoId: 'x' })).body).toMatchObject({ logo, icon })
    expect((await shown(logo)).status).toBe(200)
  })
})
