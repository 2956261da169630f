import { connect, createServer, type Server, type Socket } from 'node:net'

/** A line to a Postgres that can be cut, or go dead without a word, and be mended again. */
export class CuttableConnection {
  private readonly sockets = new Set<Socket>()
  private dead = false
  private server: Server | undefined
  port = 0

  constructor(private readonly socket: string) {}

  async open(): Promise<void> {
    this.server = createServer((near) => this.join(near))
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve))
    this.port = (this.server.address() as { port: number }).port
  }

  /** Ends every connection, and refuses new ones. */
  async cut(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server?.close(() => resolve()))
    for (const socket of this.sockets) socket.destroy()
    await closed
  }

  /** Takes connections, but passes nothing on. */
  goDead(): void {
    this.dead = true
    for (const socket of this.sockets) socket.pause()
  }

  revive(): void {
    this.dead = false
    for (const socket of this.sockets) socket.resume()
  }

  private join(near: Socket): void {
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
      if (this.dead) one.pause()
    }
  }
}
