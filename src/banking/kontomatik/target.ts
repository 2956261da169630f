import type { Element } from './xml-element.ts'

/** A bank that Kontomatik supports. */
export interface Target {
  name: string
  officialName: string
  institution: string | null
  country: string | null
  psd2: boolean
  beta: boolean
}

/** A bank without a name cannot be selected and is left out. */
export function readTarget(target: Element): Target[] {
  const name = target.attribute('name')
  if (!name) return []
  const institution = target.attribute('institution') || null
  return [
    {
      name,
      officialName: target.attribute('officialName') || institution || name,
      institution,
      country: target.attribute('country') || null,
      psd2: target.attribute('psd2') === 'true',
      beta: target.attribute('beta') === 'true',
    },
  ]
}
