import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy to a Postgres whose connections can be cut or stalled. */
export class CuttableConnection {
  private readonly sockets = new Set<Socket>()
  private stalled = false
  private server: Server | undefined
  port = 0

  constructor(private readonly socket: string) {}

  async open(): Promise<void> {
    this.server = createServer((near) => this.forward(near))
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve))
    this.port = (this.server.address() as { port: number }).port
  }

  /** Ends every connection, and refuses new ones. */
  async cut(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server?.close(() => resolve()))
    for (const socket of this.sockets) socket.destroy()
    await closed
  }

  /** Accepts connections, but forwards nothing. */
  stall(): void {
    this.stalled = true
    for (const socket of this.sockets) socket.pause()
  }

  resume(): void {
    this.stalled = false
    for (const socket of this.sockets) socket.resume()
  }

  private forward(near: Socket): void {
    const far = connect(this.socket)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      this.sockets.add(one)
      one.on('data', (bytes) => other.write(bytes))
      one.on('close', () => {
        this.sockets.delete(one)
        other.destroy()
      })
      one.on('error', () => other.destroy())
      if (this.stalled) one.pause()
    }
  }
}
