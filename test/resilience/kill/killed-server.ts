import request, { type Response } from 'supertest'
import type { User } from '../../../entities/index.ts'
import { serverEnvironment } from '../../support/processes/server-environment.ts'
import { ServerProcess } from '../../support/processes/server-process.ts'
import { database, ending, tokenOf } from '../../support/world.ts'
import { KillPoint, type KillPointOptions } from './kill-points.ts'

/** A step at which the server is killed. */
export interface Step {
  /** The statement at which it is halted; without one, `begin` waits until it is where it is to be killed. */
  at?: KillPointOptions
  begin(): unknown
  /** Checks what has come of it, once the server is back. */
  after(): Promise<unknown>
}

/** A server in a process of its own, upon the database of this test file; whoever is somebody in the test is so there. */
export class KilledServer {
  private readonly service: ServerProcess

  constructor(environment: Record<string, string> = {}) {
    this.service = new ServerProcess({ ...serverEnvironment('victim'), ...environment })
    ending.unshift(() => this.service.close())
  }

  start(): Promise<void> {
    return this.service.start()
  }

  /** How often it has ended without being killed. */
  get surrenders(): number {
    return this.service.surrenders
  }

  /** Asks as somebody. */
  async get(user: User, path: string): Promise<Response> {
    return await request(this.url)
      .get(path)
      .set('Authorization', `Bearer ${await tokenOf(user)}`)
  }

  /** Asks as somebody for something to be done; with the same key, for the same again. */
  async post(user: User, path: string, body: object, key: string): Promise<Response> {
    return await request(this.url)
      .post(path)
      .set('Authorization', `Bearer ${await tokenOf(user)}`)
      .set('Content-Type', 'application/ld+json')
      .set('Idempotency-Key', key)
      .send(JSON.stringify(body))
  }

  /** Brings the server to several steps at once, kills it there, starts it again, and tells of each what has come of it. */
  killedWhile(title: string, scenes: [outcome: string, prepare: () => Promise<Step>][]): void {
    describe(title, () => {
      const steps = new Map<string, Step>()

      beforeAll(async () => {
        for (const [outcome, prepare] of scenes) steps.set(outcome, await prepare())
        const halts = new Map<Step, KillPoint>()
        for (const step of steps.values()) if (step.at) halts.set(step, await KillPoint.at(step.at))
        for (const step of steps.values()) await reach(step.begin, halts.get(step))
        await this.die([...halts.values()])
      }, 120_000)

      test.each(scenes)('%s', (outcome) => steps.get(outcome)?.after(), 60_000)
    })
  }

  /** Is killed while it is halted everywhere, and comes back. */
  private async die(halts: KillPoint[]): Promise<void> {
    for (const halt of halts) expect(await halt.waiting()).toHaveLength(1)
    await this.service.kill()
    for (const halt of halts.filter(({ fate }) => fate !== 'late')) await halt.lift()
    await timePasses()
    await this.service.start()
    for (const halt of halts.filter(({ fate }) => fate === 'late')) await halt.lift()
    for (const halt of halts) await halt.remove()
  }

  private get url(): string {
    return `http://127.0.0.1:${this.service.port}`
  }
}

/** Begins something, whose end nobody lives to hear where it is halted. */
async function reach(begin: Step['begin'], halt?: KillPoint): Promise<void> {
  if (!halt) return void (await begin())
  Promise.resolve(begin()).catch(() => {})
  await halt.reached()
}

/** As much of it as whoever died is waited for: two minutes for a mail, one for a request with a key. */
async function timePasses(): Promise<void> {
  await database.query(`UPDATE "outgoing_mail" SET "dueAt" = "dueAt" - interval '2 minutes' WHERE "status" = 'pending'`)
  await database.query(`UPDATE "idempotency_key" SET "claimedAt" = "claimedAt" - interval '1 minute'`)
}
