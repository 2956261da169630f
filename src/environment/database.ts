import { quoteWithoutSecrets } from '../start/quote.ts'
import type { Variables } from './variables.ts'

/** The URL of the database; undefined where an embedded Postgres is started. */
export function readDatabaseUrl(variables: Variables): string | undefined {
  const url = variables.text('DATABASE_URL')
  if (!url && variables.production)
    variables.addError('DATABASE_URL must be set in production: the default is for development only.')
  if (url) checkUrl(variables, 'DATABASE_URL', url)
  return url
}

/** The URL of Postgres itself; undefined where DATABASE_URL does not lead to a pooler. */
export function readDirectUrl(variables: Variables): string | undefined {
  const url = variables.text('DATABASE_DIRECT_URL')
  const pooled = variables.text('DATABASE_URL')
  if (url) checkUrl(variables, 'DATABASE_DIRECT_URL', url)
  if (url && !pooled)
    variables.addError('DATABASE_URL must be set when DATABASE_DIRECT_URL is set: the embedded Postgres has no pooler.')
  return url === pooled ? undefined : url
}

/** The URL of Postgres itself for the owner of the tables; undefined where DATABASE_URL names the owner. */
export function readOwnerUrl(variables: Variables): string | undefined {
  const url = variables.text('DATABASE_OWNER_URL')
  if (url) checkUrl(variables, 'DATABASE_OWNER_URL', url)
  if (url && !variables.text('DATABASE_URL'))
    variables.addError(
      'DATABASE_URL must be set when DATABASE_OWNER_URL is set: the embedded Postgres has an owner of its own.',
    )
  return url
}

/** The URLs of the database's replicas. The embedded Postgres has none. */
export function readReplicaUrls(variables: Variables): string[] {
  const urls = variables.list('DATABASE_REPLICA_URLS', variables.text('DATABASE_REPLICA_URLS'))
  for (const url of urls) checkUrl(variables, 'Each of DATABASE_REPLICA_URLS', url)
  if (urls.length > 0 && !variables.text('DATABASE_URL'))
    variables.addError(
      'DATABASE_URL must be set when DATABASE_REPLICA_URLS is set: the embedded Postgres has no replicas.',
    )
  return urls
}

function checkUrl(variables: Variables, name: string, url: string): void {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    variables.addError(
      `${name} must be a URL that starts with postgres:// or postgresql://, not ${quoteWithoutSecrets(url)}.`,
    )
}
