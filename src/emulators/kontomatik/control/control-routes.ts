import { type BankWorld, day } from '../banks/bank-world.ts'
import { bankNamed } from '../banks/catalogue.ts'
import { assertKnownElements, type DictatedStatement } from '../banks/dictated-statement.ts'
import { readJsonObject } from '../http/form-fields.ts'
import { jsonResponse, KontomatikError, type KontomatikRequest, type KontomatikResponse } from '../http/response.ts'
import { type Fault, OrderedFaults } from './ordered-faults.ts'

/** A request as it came, without its key. */
export interface LoggedRequest {
  at: string
  method: string
  path: string
  body: string
}

const maxRequests = 1000

/** The strings by which a test, or a person with curl, pulls the local Kontomatik. */
export class Control {
  readonly faults = new OrderedFaults()
  readonly requests: LoggedRequest[] = []
  readonly #world: BankWorld

  constructor(world: BankWorld) {
    this.#world = world
  }

  log({ method, path, query, body }: KontomatikRequest): void {
    const search = query.size ? `?${query}` : ''
    this.requests.push({ at: new Date(this.#world.now).toISOString(), method, path: `${path}${search}`, body })
    if (this.requests.length > maxRequests) this.requests.shift()
  }

  async advance({ days }: { days: number }): Promise<void> {
    if (!(days >= 0 && days <= 3660)) throw new Error('days is a number from 0 to 3660: time does not run backwards.')
    this.#world.state.offset += days * day
    await this.#world.save()
  }

  /** The ids of a login's consents and imports, the oldest first. */
  idsOf(login: string): Record<'consents' | 'imports', string[]> {
    const { consents, commands } = this.#world.state
    const own = (all: { id: string; login: string }[]) => all.filter((one) => one.login === login).map(({ id }) => id)
    return { consents: own(consents), imports: own(commands) }
  }

  /** Dictates the statement of a customer from now on; imports that have started keep theirs. */
  async dictateStatement(login: string, told: DictatedStatement, target = 'KontoBankApi'): Promise<void> {
    if (!bankNamed(target)) throw new Error('There is no such bank.')
    assertKnownElements(told)
    this.#world.customer(target, login).dictated = structuredClone(told)
    await this.#world.save()
  }

  /** As by the bank's own page: only the next reuse tells. */
  async revokeUpstream(multipleAccessId: string): Promise<void> {
    const consent = this.#world.state.consents.find(({ id }) => id === multipleAccessId)
    if (!consent) throw new Error('There is no such consent.')
    consent.revoked = true
    await this.#world.save()
  }

  /** The same over HTTP. */
  async respond(ask: KontomatikRequest): Promise<KontomatikResponse> {
    const faulty = ['method', 'path', 'body', 'kind', 'name', 'status', 'answer', 'state', 'delay', 'times']
    const dictated = ['login', 'target', 'accounts', 'cards']
    const known = ['days', 'multipleAccessId', ...faulty, ...dictated]
    const act = async (work: (body: Record<string, unknown>) => unknown) => {
      await Promise.resolve(readJsonObject(ask, known)).then(work).catch(throwInvalidArgument)
      return jsonResponse({ now: new Date(this.#world.now).toISOString() })
    }
    switch (`${ask.method} ${ask.path}`) {
      case 'GET /local/requests':
        return jsonResponse(this.requests)
      case 'GET /local/imports':
        return jsonResponse({ imports: this.#world.state.imports })
      case 'POST /local/advance':
        return act(({ days }) => this.advance({ days: Number(days) }))
      case 'POST /local/revoke':
        return act(({ multipleAccessId }) => this.revokeUpstream(String(multipleAccessId)))
      case 'POST /local/statement':
        return act(({ login, target, ...told }) =>
          this.dictateStatement(String(login), told as DictatedStatement, target as string | undefined),
        )
      case 'POST /local/fault':
        return act((fault) => this.faults.order(fault as unknown as Fault))
      case 'DELETE /local/faults':
        this.faults.clear()
        return jsonResponse({})
      default:
        throw new KontomatikError('InvalidArgument', 'There is no such control.')
    }
  }
}

function throwInvalidArgument(error: Error): never {
  throw error instanceof KontomatikError ? error : new KontomatikError('InvalidArgument', error.message)
}
