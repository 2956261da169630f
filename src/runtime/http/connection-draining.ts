import type { IncomingMessage, Server } from 'node:http'
import { Server as Listener, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { withTimeout } from '../../start/with-timeout.ts'
import type { SharedPort } from './shared-port.ts'

/** The shutdown of a server, as its requests and responses see it. */
export interface ShutdownState {
  /** Whether each response closes its connection. */
  closing: boolean
  /** Requests that wait until the server has stopped listening: a client may answer a response with a new connection. */
  held?: (() => void)[]
}

/** Idle connections may bring one more request during this time. */
const gracePeriodMs = 1000

/** Requests that are not answered after this time are cut. */
const cutAfterMs = 10_000

/** Interval at which idle connections are closed. */
const idleCheckMs = 50

/** Time for which the body of a refused request is read after the response. */
const lingerMs = 1000

/** The listener closes between two connections; it waits at most this long for a pause. */
const acceptTimeoutMs = 500

/**
 * Replaces `close` of a server: it stops listening, answers all requests that clients have sent, and closes idle connections
 * (RFC 9112 §9.6). A request that arrives as its idle connection closes is lost, so idle connections get a grace period.
 */
export function makeDrainable(server: Server, shutdown: ShutdownState, port?: SharedPort): void {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  const closeIdle = () => {
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
    // Node counts a connection as idle while its last response still waits to be written.
    if (![...sockets].some(({ writableLength }) => writableLength > 0)) server.closeIdleConnections()
  }

  const drain = async () => {
    const cut = setTimeout(() => server.closeAllConnections(), cutAfterMs)
    await port?.parentClosed()
    const held: (() => void)[] = []
    shutdown.held = held
    await acceptQueued(server)
    // The `close` of the HTTP server would cut idle connections at once.
    const closed = new Promise((resolve) => Listener.prototype.close.call(server, resolve))
    await port?.closed()
    shutdown.closing = true
    shutdown.held = undefined
    for (const handle of held) handle()
    await withTimeout(gracePeriodMs, closed)
    const idleCheck = setInterval(closeIdle, idleCheckMs)
    await closed
    clearInterval(idleCheck)
    clearTimeout(cut)
  }

  let drained: Promise<void> | undefined
  server.close = (callback) => {
    drained ??= drain()
    drained.then(() => callback?.())
    return server
  }
}

/** Accepts the connections in the kernel's queue, one a turn of the event loop: the kernel resets them when the listener closes. */
async function acceptQueued(server: Server): Promise<void> {
  let accepted = true
  const onConnection = () => {
    accepted = true
  }
  server.on('connection', onConnection)
  // The first turn only ends the one in which the process was told to stop.
  await nextTurn()
  for (const end = performance.now() + acceptTimeoutMs; performance.now() < end; ) {
    accepted = false
    const began = performance.now()
    await nextTurn()
    // After a short turn, little time has passed since the queue was empty.
    if (!accepted && performance.now() - began < 0.5) break
  }
  server.off('connection', onConnection)
}

/** Reads on after a response: closing before the client's data has arrived would reset the connection and lose the response. */
export function lingerAfterResponse({ socket }: IncomingMessage): void {
  socket.destroySoon = () => {
    socket.end()
    setTimeout(() => socket.destroy(), lingerMs).unref()
  }
}
