/**
 * The path to return to after a sign-in; undefined where it is not a path of this server. Another value would let a link of another
 * site send people there.
 * @param publicUrl the URL that every path of this server starts with
 */
export function returnPath(path: unknown, publicUrl: string): string | undefined {
  if (typeof path !== 'string' || !/^\/(?![/\\])[\x21-\x7e]*$/.test(path) || path.length > 2048) return undefined
  if (!URL.canParse(path, publicUrl)) return undefined
  const [root, url] = [new URL(`${publicUrl}/`), new URL(path, publicUrl)]
  const isOwn = url.origin === root.origin && url.pathname.startsWith(root.pathname)
  return isOwn ? url.pathname + url.search : undefined
}
