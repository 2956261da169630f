import { day, type World } from '../banks/bank-world.ts'
import { bankNamed } from '../banks/catalogue.ts'
import { assertKnown, type Told } from '../banks/dictated-statement.ts'
import { objectOf } from '../http/form-fields.ts'
import { type Answer, type Ask, json, Refusal } from '../http/response.ts'
import { type Fault, Faults } from './ordered-faults.ts'

/** A request as it came, without its key. */
export interface Logged {
  at: string
  method: string
  path: string
  body: string
}

const longest = 1000

/** The strings by which a test, or a person with curl, pulls the local Kontomatik. */
export class Controls {
  readonly faults = new Faults()
  readonly requests: Logged[] = []
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  log({ method, path, query, body }: Ask): void {
    const search = query.size ? `?${query}` : ''
    this.requests.push({ at: new Date(this.#world.now).toISOString(), method, path: `${path}${search}`, body })
    if (this.requests.length > longest) this.requests.shift()
  }

  async advance({ days }: { days: number }): Promise<void> {
    if (!(days >= 0 && days <= 3660)) throw new Error('days is a number from 0 to 3660: time does not run backwards.')
    this.#world.state.offset += days * day
    await this.#world.keep()
  }

  /** The ids of what somebody has granted and had imported, the oldest first. */
  of(login: string): Record<'consents' | 'imports', string[]> {
    const { consents, commands } = this.#world.state
    const own = (all: { id: string; login: string }[]) => all.filter((one) => one.login === login).map(({ id }) => id)
    return { consents: own(consents), imports: own(commands) }
  }

  /** Dictates the statement of a customer from now on; imports that have started keep theirs. */
  async tell(login: string, told: Told, target = 'KontoBankApi'): Promise<void> {
    if (!bankNamed(target)) throw new Error('There is no such bank.')
    assertKnown(told)
    this.#world.customer(target, login).told = structuredClone(told)
    await this.#world.keep()
  }

  /** As by the bank's own page: only the next reuse tells. */
  async revokeUpstream(multipleAccessId: string): Promise<void> {
    const consent = this.#world.state.consents.find(({ id }) => id === multipleAccessId)
    if (!consent) throw new Error('There is no such consent.')
    consent.revoked = true
    await this.#world.keep()
  }

  /** The same over HTTP. */
  async answer(ask: Ask): Promise<Answer> {
    const faulty = ['method', 'path', 'body', 'kind', 'name', 'status', 'answer', 'state', 'delay', 'times']
    const dictated = ['login', 'target', 'accounts', 'cards']
    const known = ['days', 'multipleAccessId', ...faulty, ...dictated]
    const act = async (work: (body: Record<string, unknown>) => unknown) => {
      await Promise.resolve(objectOf(ask, known)).then(work).catch(refuse)
      return json({ now: new Date(this.#world.now).toISOString() })
    }
    switch (`${ask.method} ${ask.path}`) {
      case 'GET /local/requests':
        return json(this.requests)
      case 'GET /local/imports':
        return json({ imports: this.#world.state.imports })
      case 'POST /local/advance':
        return act(({ days }) => this.advance({ days: Number(days) }))
      case 'POST /local/revoke':
        return act(({ multipleAccessId }) => this.revokeUpstream(String(multipleAccessId)))
      case 'POST /local/statement':
        return act(({ login, target, ...told }) => this.tell(String(login), told as Told, target as string | undefined))
      case 'POST /local/fault':
        return act((fault) => this.faults.plan(fault as unknown as Fault))
      case 'DELETE /local/faults':
        this.faults.clear()
        return json({})
      default:
        throw new Refusal('InvalidArgument', 'There is no such control.')
    }
  }
}

function refuse(error: Error): never {
  throw error instanceof Refusal ? error : new Refusal('InvalidArgument', error.message)
}
