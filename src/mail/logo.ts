import type { EntityManager } from 'typeorm'
import { Image, type Organization } from '../../entities/index.ts'

/** The organization's logo, which its mails show at the top. */
export async function logoOf(
  manager: EntityManager,
  { logoId }: Organization,
): Promise<Pick<Image, 'type' | 'bytes'> | undefined> {
  if (!logoId) return undefined
  const logo = await manager.findOne(Image, { select: { id: true, type: true, bytes: true }, where: { id: logoId } })
  return logo ?? undefined
}
