import type { Api } from '../../hydra/index.ts'

/**
 * The nearest address that answers a GET, at the address of a request or above it. Operations such as a cancellation take forms only,
 * so a sign-in cannot lead back to theirs. Paths of no resource stay as they are.
 */
export function readablePath({ iris, resources }: Api, path: string): string {
  const local = iris.local(path)
  if (local === undefined || !resources.some((one) => local === one.path || local.startsWith(`${one.path}/`)))
    return path
  const operations = resources.flatMap((resource) =>
    resource.operations.map(({ method, path }) => ({ isRead: method === 'GET', template: resource.path + path })),
  )
  for (let above = local; above !== ''; above = above.slice(0, above.lastIndexOf('/'))) {
    // A literal path wins over a path with an id, as in the router.
    const literal = operations.filter(({ template }) => template === above)
    const found = literal.length > 0 ? literal : operations.filter(({ template }) => fits(template, above))
    if (found.some(({ isRead }) => isRead)) return iris.at(above)
  }
  return iris.at('/')
}

function fits(template: string, path: string): boolean {
  const [parts, given] = [template.split('/'), path.split('/')]
  return parts.length === given.length && parts.every((part, index) => part === ':id' || part === given[index])
}
