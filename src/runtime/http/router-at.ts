import { type Express, Router } from 'express'
import { Problem } from '../../hydra/index.ts'

/** Serves routes under the path of PUBLIC_URL. The path without a slash at its end redirects to the start. */
export function routerAt(app: Express, root: string): Router {
  const router = Router({ caseSensitive: true, strict: true })
  app.use(root, ({ originalUrl }, _response, next) => {
    const rest = originalUrl.slice(root.length)
    if (rest[0] === '/') return next()
    throw new Problem(308, `The API starts at "${root}/".`, { Location: `${root}/${rest}` })
  })
  app.use(root, router)
  return router
}
