import type { Request } from 'express'
import type { DataSource } from 'typeorm'
import type { OwnIssuer } from '../../access/token-issuer-keys.ts'
import { type Person, people, tokenFor } from '../../demo/demo.ts'
import { Problem } from '../../hydra/index.ts'
import { hostOf, isLoopback } from '../../start/loopback.ts'

/** A person of the demo, who signs in with one click. */
export interface DemoPerson {
  id: string
  name: string
}

/** The people of the demo, as long as the server itself issues tokens. */
export interface DemoPeople {
  list(request: Request): DemoPerson[]
  /** A token of a person. */
  tokenOf(person: string, request: Request): Promise<string>
}

/** A site could name this machine by its own domain (DNS rebinding), so its host must be a known one. */
export function demoPeople(database: DataSource, issuer: OwnIssuer, publicUrl: string): DemoPeople {
  const known = new URL(publicUrl).host
  const isKnown = ({ headers: { host = '' } }: Request) =>
    host === known || (URL.canParse(`http://${host}`) && isLoopback(hostOf(new URL(`http://${host}`))))
  return {
    list: (request) => (isKnown(request) ? Object.entries(people).map(([id, { name }]) => ({ id, name })) : []),
    async tokenOf(person, request) {
      if (!isKnown(request) || !Object.hasOwn(people, person))
        throw new Problem(401, `No person of the demo can sign in like this. Open ${publicUrl}/session.`)
      return tokenFor(database, issuer, person as Person)
    },
  }
}
