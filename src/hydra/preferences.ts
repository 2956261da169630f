/** What the Prefer header asks for, by lower-case names; of one that is said twice, the first counts (RFC 7240 §2). */
export function preferencesOf(header: string | undefined): Map<string, string> {
  const preferences = new Map<string, string>()
  for (const preference of header?.match(/(?:[^,"]|"[^"]*")+/g) ?? []) {
    const [, name, value = ''] = /^\s*([^\s=;"]+)\s*(?:=\s*"?([^\s;"]*)"?)?\s*(?:;|$)/.exec(preference) ?? []
    if (name && !preferences.has(name.toLowerCase())) preferences.set(name.toLowerCase(), value.toLowerCase())
  }
  return preferences
}

/** Whether the client asks for nothing to be ignored: unknown properties, read-only ones, unknown parameters. */
export function isStrict(header: string | undefined): boolean {
  return header !== undefined && preferencesOf(header).get('handling') === 'strict'
}

/** Whether the client has no use for a document of what it has written, only for its validator. */
export function wantsMinimal(header: string | undefined): boolean {
  return header !== undefined && preferencesOf(header).get('return') === 'minimal'
}
