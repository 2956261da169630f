import type { Server } from 'node:http'
import type { Surroundings } from './app.ts'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import { httpServer } from './http.ts'
import { openReplicas } from './replicas.ts'

/** Answers requests; gives back how to stop that. */
export async function serve(
  surroundings: Omit<Surroundings, 'state'> & { config: Config },
): Promise<() => Promise<void>> {
  const { config, database, log } = surroundings
  const state = { draining: false }
  const replicas = config.replicas.length > 0 ? openReplicas(database, config, log) : undefined
  const server = httpServer(createApp({ ...surroundings, replicas, state }), config.publicUrl, log)
  await listen(server, config)
  return async () => {
    state.draining = true
    await drain(server)
    await replicas?.close()
  }
}

function listen(server: Server, { port, host }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ message }) => {
      const sentence = `PORT ${port} of HOST ${host} cannot be listened at: free it, or set another.`
      reject(new Error(`${sentence} (${message})`))
    })
    server.listen(port, host, resolve)
  })
}

/** Finishes what is under way and takes in nothing new; what is not done after ten seconds is cut. */
async function drain(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), 10_000)
  await new Promise<void>((closed) => server.close(() => closed()))
  clearTimeout(cut)
}
