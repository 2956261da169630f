import request, { type Response } from 'supertest'
import type { User } from '../../../entities/index.ts'
import { serverEnvironment } from '../../support/processes/server-environment.ts'
import { ServerProcess } from '../../support/processes/server-process.ts'
import { openWorld } from '../../support/world.ts'
import { KillPoint, type KillPointOptions } from './kill-points.ts'

const { database, ending, tokenOf } = await openWorld()

/** A step at which the server is killed. */
export interface Step {
  /** The statement to stop at. Without one, `start` resolves when the server can be killed. */
  killPoint?: KillPointOptions
  start(): unknown
  /** Checks the result after the server is back. */
  verify(): Promise<unknown>
}

/** A server in its own process on the database of the test file, with the same users. */
export class KilledServer {
  private readonly service: ServerProcess

  constructor(environment: Record<string, string> = {}) {
    this.service = new ServerProcess({ ...serverEnvironment('killed'), ...environment })
    ending.unshift(() => this.service.close())
  }

  start(): Promise<void> {
    return this.service.start()
  }

  /** How often the process has ended without being killed. */
  get unexpectedExits(): number {
    return this.service.unexpectedExits
  }

  async get(user: User, path: string): Promise<Response> {
    return await request(this.url)
      .get(path)
      .set('Authorization', `Bearer ${await tokenOf(user)}`)
  }

  async post(user: User, path: string, body: object, key: string): Promise<Response> {
    return await request(this.url)
      .post(path)
      .set('Authorization', `Bearer ${await tokenOf(user)}`)
      .set('Content-Type', 'application/ld+json')
      .set('Idempotency-Key', key)
      .send(JSON.stringify(body))
  }

  /** Brings the server to several steps at once, kills it there, restarts it, and runs a test for each step. */
  killAtSteps(title: string, scenes: [title: string, prepare: () => Promise<Step>][]): void {
    describe(title, () => {
      const steps = new Map<string, Step>()

      beforeAll(async () => {
        for (const [name, prepare] of scenes) steps.set(name, await prepare())
        const killPoints = new Map<Step, KillPoint>()
        for (const step of steps.values()) if (step.killPoint) killPoints.set(step, await KillPoint.at(step.killPoint))
        for (const step of steps.values()) await startStep(step.start, killPoints.get(step))
        await this.killAndRestart([...killPoints.values()])
      }, 120_000)

      test.each(scenes)('%s', (name) => steps.get(name)?.verify(), 60_000)
    })
  }

  /** Kills the server while it is stopped at every kill point, and restarts it. */
  private async killAndRestart(killPoints: KillPoint[]): Promise<void> {
    for (const killPoint of killPoints) expect(await killPoint.waiting()).toHaveLength(1)
    await this.service.kill()
    for (const killPoint of killPoints.filter(({ outcome }) => outcome !== 'late')) await killPoint.release()
    await letLocksExpire()
    await this.service.start()
    for (const killPoint of killPoints.filter(({ outcome }) => outcome === 'late')) await killPoint.release()
    for (const killPoint of killPoints) await killPoint.remove()
  }

  private get url(): string {
    return `http://127.0.0.1:${this.service.port}`
  }
}

/** Starts a step and waits until it has stopped at its kill point. Its request never gets a response. */
async function startStep(start: Step['start'], killPoint?: KillPoint): Promise<void> {
  if (!killPoint) return void (await start())
  Promise.resolve(start()).catch(() => {})
  await killPoint.reached()
}

/** Makes claims of the killed process expire: they last two minutes for a mail, one for a request with a key. */
async function letLocksExpire(): Promise<void> {
  await database.query(`UPDATE "outgoing_mail" SET "dueAt" = "dueAt" - interval '2 minutes' WHERE "status" = 'pending'`)
  await database.query(`UPDATE "idempotency_key" SET "claimedAt" = "claimedAt" - interval '1 minute'`)
}
