import type { IncomingMessage, Server } from 'node:http'
import { Server as Listener, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { withTimeout } from '../../start/with-timeout.ts'
import type { SharedPort } from './shared-port.ts'

/** The shutdown of a server, as its requests and answers see it. */
export interface ShutdownState {
  /** Whether each answer ends its connection. */
  closing: boolean
  /** Requests that wait until the server has stopped listening: an answer may bring a new connection. */
  held?: (() => void)[]
}

/** For how long idle connections may bring one more request, and after what time unfinished requests are cut, in milliseconds. */
const [grace, cut] = [1000, 10_000]

/** How often idle connections are looked for, and how long a refused body is read on, in milliseconds. */
const [interval, lingering] = [50, 1000]

/** Milliseconds within which new connections must pause so that the listener closes between two of them. */
const patience = 500

/**
 * Replaces `close` of a server: it stops listening, answers all that clients have sent, and closes idle connections (RFC 9112 §9.6).
 * A request that is on its way when an idle connection closes is lost, so each gets a second to bring one.
 */
export function makeDrainable(server: Server, shutdown: ShutdownState, port?: SharedPort): void {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  const closeIdle = () => {
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
    // Node takes a connection for idle whose last answer still waits to be written.
    if (![...sockets].some(({ writableLength }) => writableLength > 0)) server.closeIdleConnections()
  }

  const end = async () => {
    const late = setTimeout(() => server.closeAllConnections(), cut)
    await port?.parentClosed()
    const held: (() => void)[] = []
    shutdown.held = held
    await acceptWaiting(server)
    // The `close` of HTTP would cut idle connections at once.
    const closed = new Promise((resolve) => Listener.prototype.close.call(server, resolve))
    await port?.closed()
    shutdown.closing = true
    shutdown.held = undefined
    for (const handle of held) handle()
    await withTimeout(grace, closed)
    const idle = setInterval(closeIdle, interval)
    await closed
    clearInterval(idle)
    clearTimeout(late)
  }

  let ended: Promise<void> | undefined
  server.close = (callback) => {
    ended ??= end()
    ended.then(() => callback?.())
    return server
  }
}

/** Accepts what the kernel has queued, one connection a turn, as it resets those that wait when the listener closes. */
async function acceptWaiting(server: Server): Promise<void> {
  let accepted = true
  const note = () => {
    accepted = true
  }
  server.on('connection', note)
  // The first turn only ends the one in which the process was told to stop.
  await turn()
  for (const end = performance.now() + patience; performance.now() < end; ) {
    accepted = false
    const began = performance.now()
    await turn()
    // In a short turn little time has passed since the queue was empty.
    if (!accepted && performance.now() - began < 0.5) break
  }
  server.off('connection', note)
}

/** Reads on what a client still sends, as closing before it has arrived would reset the connection and lose the answer. */
export function lingerAfterResponse({ socket }: IncomingMessage): void {
  socket.destroySoon = () => {
    socket.end()
    setTimeout(() => socket.destroy(), lingering).unref()
  }
}
