import { Router } from 'express'
import type { DataSource } from 'typeorm'
import { methodNotAllowed, Problem } from '../../hydra/index.ts'

/** `/health/live`: the process answers. `/health/ready`: it can serve; 503 during a shutdown and without a database. */
export function healthRoutes(database: DataSource, state: { draining: boolean }): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.get('/health/live', (_, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'live' })
  })
  router.get('/health/ready', async (_, response) => {
    const retry = { 'Retry-After': '2' }
    if (state.draining) throw new Problem(503, 'The server is shutting down. Retry in 2 seconds.', retry)
    await database.query('SELECT 1').catch(() => {
      throw new Problem(503, 'The database does not answer. Retry in 2 seconds.', retry)
    })
    response.set('Cache-Control', 'no-store').json({ status: 'ready' })
  })
  methodNotAllowed(router, '/health/live')
  methodNotAllowed(router, '/health/ready')
  return router
}
