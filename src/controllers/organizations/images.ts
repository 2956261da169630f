import { type Image, Organization } from '../../../entities/index.ts'
import { record } from '../../audit/audit-log.ts'
import { type Call, copyEntity, type Operation, Unchanged } from '../../hydra/index.ts'
import { deleteUnusedImage, replaceImage } from '../../images/image-store.ts'
import { imageTypes, reEncode } from '../../images/re-encode.ts'
import { lockOrganization } from '../../postgres/locks.ts'

const mebibyte = 1024 * 1024

const requirements = {
  icon: { maxBytes: mebibyte, square: true, text: 'at most 1 MiB and square' },
  logo: { maxBytes: 2 * mebibyte, square: false, text: 'at most 2 MiB' },
}

/** Replaces the organization's icon or logo. */
export const upload = (kind: 'icon' | 'logo'): Operation<Organization> => {
  const { maxBytes, square, text } = requirements[kind]
  const name = kind === 'icon' ? 'uploadIcon' : 'uploadLogo'
  return {
    name,
    method: 'POST',
    path: `/${kind}`,
    title: () => `Upload the ${kind} of the organization`,
    description:
      `The body is a multipart form with the image in the field "file". It is a PNG, JPEG or WebP by its bytes, ${text}, ` +
      `at most 25 megapixels. The server re-encodes the image: metadata and all frames but the first are dropped. "${kind}" is then ` +
      `its public URL, which needs no token. The same bytes have the same URL.`,
    expects: 'file',
    file: { limit: maxBytes, types: imageTypes, read: (bytes) => reEncode(bytes, square) },
    returns: 'item',
    statuses: [200, 201, 400, 413, 415, 422],
    sensitive: 'minute',
    link: { name },
    handle: (call) =>
      call.unitOfWork.transaction(async () => {
        const image = call.request.file as Image
        const before = await lockAndRead(call)
        const previous = before[`${kind}Id`]
        if (previous === image.id) return new Unchanged(before)
        const after = Object.assign(copyEntity(before), { [`${kind}Id`]: image.id })
        await replaceImage(call.unitOfWork.executor, image, previous, () => call.unitOfWork.save(before, after))
        const changes: Record<string, [unknown, unknown]> = { [kind]: [before[kind], after[kind]] }
        const target = `/organizations/${before.id}`
        await record({ by: call, action: `organization.${name}`, target, changes })
        return after
      }),
  }
}

/** Removes the organization's icon or logo; without one it changes nothing. */
export const remove = (kind: 'icon' | 'logo'): Operation<Organization> => {
  const name = kind === 'icon' ? 'removeIcon' : 'removeLogo'
  return {
    name,
    method: 'DELETE',
    path: `/${kind}`,
    title: () => `Remove the ${kind} of the organization`,
    description: `Its URL answers 404 afterwards, unless another organization uses the same image. Repeating it is harmless.`,
    returns: 'nothing',
    statuses: [204, 412],
    link: { name, when: (organization: Organization) => organization[`${kind}Id`] !== null },
    handle: (call) =>
      call.unitOfWork.transaction(async () => {
        const before = await lockAndRead(call)
        call.request.checkPreconditions(before)
        const previous = before[`${kind}Id`]
        if (previous === null) return undefined
        await call.unitOfWork.save(before, Object.assign(copyEntity(before), { [`${kind}Id`]: null }))
        await deleteUnusedImage(call.unitOfWork.executor, [previous])
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

async function lockAndRead(call: Call<Organization>): Promise<Organization> {
  await lockOrganization(call.manager, call.tenant)
  return call.get(Organization, call.tenant)
}
