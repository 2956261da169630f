import type { BoundApi } from '../http/bound-api.ts'

/** The label (rdfs:label) and the description (rdfs:comment) in every language, beside the title and description of Hydra. */
export function languageMaps({ labels }: BoundApi, type: string, property?: string): object {
  const [names, comments] = [labels.labels(type, property), labels.descriptions(type, property)]
  return {
    ...(Object.keys(names).length > 0 && { labels: names }),
    ...(Object.keys(comments).length > 0 && { comments }),
  }
}
