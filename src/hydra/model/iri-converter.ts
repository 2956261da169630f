import type { Resource } from './resource.ts'

/** An item that an IRI names. */
export interface NamedItem {
  resource: Resource
  id: string
}

/** Converts between the IRIs of this server and its resources and paths. */
export class IriConverter {
  /** Scheme and authority of the server. */
  readonly origin: string
  /** The path that the API is served under, without a slash at its end; empty for the root. */
  readonly root: string

  /** @param publicUrl the start of absolute IRIs, without a slash at its end */
  constructor(
    readonly publicUrl: string,
    private readonly resources: Resource[],
  ) {
    this.root = rootOf(publicUrl)
    this.origin = publicUrl.slice(0, publicUrl.length - this.root.length)
  }

  /** The IRI of a path of the resource table or of a document, relative to the origin. */
  at(path: string): string {
    return this.root + path
  }

  /** The path of the resource table or of a document that an IRI of this server names; undefined for other IRIs. */
  local(iri: string): string | undefined {
    if (iri.startsWith(`${this.publicUrl}/`)) return iri.slice(this.publicUrl.length)
    return iri.startsWith(`${this.root}/`) ? iri.slice(this.root.length) : undefined
  }

  /** The resource and the canonical id that an IRI of this server names, absolute or not; undefined for other IRIs. */
  parse(iri: string): NamedItem | undefined {
    const path = this.local(iri)
    if (path === undefined) return undefined
    const slash = path.lastIndexOf('/')
    const collection = path.slice(0, slash)
    const resource = this.resources.find((one) => one.path === collection)
    if (!resource || resource.options.singleton) return undefined
    return { resource, id: resource.canonical(decode(path.slice(slash + 1))) }
  }
}

/** The path of a URL without query, fragment and a slash at its end. */
export function rootOf(url: string): string {
  const { pathname } = new URL(url)
  return pathname.endsWith('/') ? pathname.slice(0, -1) : pathname
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
