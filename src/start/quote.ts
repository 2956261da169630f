const maxLength = 200

/** Quotes a value for a message: on one line, and cut after 200 characters. */
export function quote(value: string): string {
  return JSON.stringify(value.length > maxLength ? `${value.slice(0, maxLength)}… (${value.length} characters)` : value)
}

/** Quotes a value for a message, without the passwords and keys in it. */
export function quoteWithoutSecrets(value: string): string {
  return quote(masks.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), value))
}

const masks: [RegExp, string][] = [
  // User and password stand before the last "@".
  [/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, '$1***@'],
  // A colon with no port behind it starts a password whose "@" is missing.
  [/^([a-z][a-z\d+.-]*:\/\/)?([\w.-]+):(?!\/\/|:|\d+(?:[/?#]|$)).*/is, '$1$2:***'],
  [/\?.*/s, '?***'],
  [/(password|secret|key|token)(\s*=\s*)\S+/gi, '$1$2***'],
  [/\b(sk|rk|whsec)_\S+/g, '$1_***'],
]
