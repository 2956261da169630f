import type { Text } from './reading.ts'

/** What is wrong is not repeated: there may be a password in it. */
export function databaseUrl(value: string | undefined, name = 'DATABASE_URL'): string | undefined {
  if (value !== undefined && !(/^postgres(ql)?:\/\//.test(value) && URL.canParse(value)))
    throw new Error(`${name} must be a URL that starts with postgres:// or postgresql://.`)
  return value
}

/** Where replicas of the database are; none of the embedded one. */
export function replicaUrls(text: Text): string[] {
  const urls = (text('DATABASE_REPLICA_URLS') ?? '')
    .split(',')
    .map((url) => url.trim())
    .filter(Boolean)
  for (const url of urls) databaseUrl(url, 'Each of DATABASE_REPLICA_URLS')
  if (urls.length > 0 && !text('DATABASE_URL'))
    throw new Error('DATABASE_URL must be set where DATABASE_REPLICA_URLS is: the embedded Postgres has no replicas.')
  return urls
}
