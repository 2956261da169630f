import type { AddressInfo } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { pino } from 'pino'
import { SMTPServer } from 'smtp-server'
import { openMailer } from '../../src/mail/mailer.ts'
import { enqueueStaleMail } from '../../src/mail/outbox.ts'
import { eventually } from './eventually.ts'
import { startJobs } from './jobs.ts'
import { openWorld } from './world.ts'

const { database } = await openWorld()

/** At which command a mail server refuses, and with which code. */
export interface Refusal {
  at: 'MAIL' | 'RCPT' | 'DATA'
  code: number
}

/** A mail server that keeps what it takes, can be told to refuse or not to answer at all, and can go away. */
export class MailServer {
  readonly mails: ParsedMail[] = []
  refusal: Refusal | undefined
  refused = 0
  /** The command that gets no reply. */
  silence: Refusal['at'] | undefined
  /** The number of clients that wait for a reply. */
  unanswered = 0
  private port = 0
  private server: SMTPServer | undefined

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    const answer = (at: Refusal['at'], done: (error?: Error | null) => void) => {
      if (this.silence === at) {
        this.unanswered += 1
        return
      }
      if (this.refusal?.at !== at) return done()
      this.refused += 1
      done(Object.assign(new Error('Not now, or not ever'), { responseCode: this.refusal.code }))
    }
    this.server = new SMTPServer({
      authOptional: true,
      closeTimeout: 100,
      disabledCommands: ['AUTH', 'STARTTLS'],
      onMailFrom: (_address, _session, done) => answer('MAIL', done),
      onRcptTo: (_address, _session, done) => answer('RCPT', done),
      onData: async (stream, _session, done) => {
        const mail = await simpleParser(stream)
        if (this.refusal?.at !== 'DATA') this.mails.push(mail)
        answer('DATA', done)
      },
    })
    // A client that is killed while it delivers a mail resets its connection.
    this.server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET') throw error
    })
    await new Promise<void>((listening) => this.server?.listen(this.port, '127.0.0.1', listening))
    this.port = (this.server.server.address() as AddressInfo).port
  }

  stop(): Promise<void> {
    return new Promise((stopped) => this.server?.close(stopped))
  }

  /** Every mail to an address. */
  to(address: string): ParsedMail[] {
    return this.mails.filter(({ to }) => [to].flat().some((one) => one?.value.some((box) => box.address === address)))
  }

  /** The newest mail to an address, once there are so many of them. */
  async mailTo(address: string, count = 1): Promise<ParsedMail> {
    await eventually(() => expect(this.to(address).length).toBeGreaterThanOrEqual(count))
    return this.to(address).at(-1) as ParsedMail
  }

  /** The token that the newest mail to an address brings. */
  async tokenTo(address: string, count = 1): Promise<string> {
    return tokenIn((await this.mailTo(address, count)).text as string)
  }
}

/** A mail server, and the queue that sends to it as the server has it. */
export interface MailSystem {
  server: MailServer
  /** Everything that the queue has logged. */
  log: string[]
  close(): Promise<void>
}

/** @param folder where mails are kept, if they are not to be sent */
export async function openMailSystem(folder?: string): Promise<MailSystem> {
  const server = new MailServer()
  await server.start()
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) })
  const from = { name: 'Acme Ops', address: 'ops@acme.example' }
  const sender = openMailer(folder ? undefined : { url: server.url, from }, folder ?? '', log)
  const queue = await startJobs({ mailer: sender }, log)
  return {
    server,
    log: lines,
    async close() {
      await queue.stop()
      sender.close()
      await server.stop()
    },
  }
}

/** Lets time pass for the mails that wait for another attempt. */
export async function makeMailsDue(): Promise<void> {
  await database.query(`UPDATE "outgoing_mail" SET "dueAt" = now() - interval '1 second' WHERE "status" = 'pending'`)
  await enqueueStaleMail(database)
}

export function tokenIn(text: string): string {
  return (/^[\w-]{43}$/m.exec(text) as RegExpExecArray)[0]
}
