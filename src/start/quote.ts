const most = 200

/** A value as messages quote it: on one line, and short. */
export function quote(value: string): string {
  return JSON.stringify(value.length > most ? `${value.slice(0, most)}… (${value.length} characters)` : value)
}

/** The same for a value that may hold a password or a key. */
export function quoteWithoutSecrets(value: string): string {
  return quote(masks.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), value))
}

const masks: [RegExp, string][] = [
  // The user and the password before the last "@".
  [/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, '$1***@'],
  // What follows a colon and is no port: a password without its "@".
  [/^([a-z][a-z\d+.-]*:\/\/)?([\w.-]+):(?!\/\/|:|\d+(?:[/?#]|$)).*/is, '$1$2:***'],
  [/\?.*/s, '?***'],
  [/(password|secret|key|token)(\s*=\s*)\S+/gi, '$1$2***'],
  [/\b(sk|rk|whsec)_\S+/g, '$1_***'],
]
