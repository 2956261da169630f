import { type Image, Organization } from '../../../entities/index.ts'
import { record } from '../../audit/audit-log.ts'
import { type Call, copyEntity, type Operation, Unchanged } from '../../hydra/index.ts'
import { deleteUnusedImage, replaceImage } from '../../images/image-store.ts'
import { imageTypes, reEncode } from '../../images/re-encode.ts'
import { lockOrganization } from '../../postgres/locks.ts'

const mebibyte = 1024 * 1024

/** What is asked of each image beside its type. */
const demands = {
  icon: { limit: mebibyte, square: true, said: 'at most 1 MiB and square' },
  logo: { limit: 2 * mebibyte, square: false, said: 'at most 2 MiB' },
}

/** An organization's icon or logo, in the place of the one it had. */
export const upload = (kind: 'icon' | 'logo'): Operation<Organization> => {
  const { limit, square, said } = demands[kind]
  const name = kind === 'icon' ? 'uploadIcon' : 'uploadLogo'
  return {
    name,
    method: 'POST',
    path: `/${kind}`,
    title: () => `Uploads the ${kind} of the organization`,
    description:
      `A form with the image in its field "file": PNG, JPEG or WebP, going by its bytes; ${said}, at most 25 megapixels. ` +
      `It is drawn anew, so metadata goes and only the first frame of an animation stays. Anybody who has its address, ` +
      `which "${kind}" then is, may see it; the same bytes have the same address.`,
    expects: 'file',
    file: { limit, types: imageTypes, read: (bytes) => reEncode(bytes, square) },
    returns: 'item',
    statuses: [200, 201, 400, 413, 415, 422],
    sensitive: 'minute',
    link: { name },
    handle: (call) =>
      call.transaction(async () => {
        const image = call.file as Image
        const before = await locked(call)
        const former = before[`${kind}Id`]
        if (former === image.id) return new Unchanged(before)
        const after = Object.assign(copyEntity(before), { [`${kind}Id`]: image.id })
        await replaceImage(call.executor, image, former, () => call.save(before, after))
        const changes: Record<string, [unknown, unknown]> = { [kind]: [before[kind], after[kind]] }
        const target = `/organizations/${before.id}`
        await record({ by: call, action: `organization.${name}`, target, changes })
        return after
      }),
  }
}

/** An organization without an icon or a logo, whether or not it had one. */
export const remove = (kind: 'icon' | 'logo'): Operation<Organization> => {
  const name = kind === 'icon' ? 'removeIcon' : 'removeLogo'
  return {
    name,
    method: 'DELETE',
    path: `/${kind}`,
    title: () => `Removes the ${kind} of the organization`,
    description: `Its address answers 404 from then on, unless another organization shows the same image. It may be repeated.`,
    returns: 'nothing',
    statuses: [204, 412],
    link: { name, when: (organization: Organization) => organization[`${kind}Id`] !== null },
    handle: (call) =>
      call.transaction(async () => {
        const before = await locked(call)
        call.match(before)
        const former = before[`${kind}Id`]
        if (former === null) return undefined
        await call.save(before, Object.assign(copyEntity(before), { [`${kind}Id`]: null }))
        await deleteUnusedImage(call.executor, [former])
        await record({
          by: call,
          action: `organization.${name}`,
          target: `/organizations/${before.id}`,
          changes: { [kind]: [before[kind], null] },
        })
        return undefined
      }),
  }
}

async function locked(call: Call<Organization>): Promise<Organization> {
  await lockOrganization(call.manager, call.tenant)
  return call.get(Organization, call.tenant)
}
