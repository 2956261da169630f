import { quoteWithoutSecrets } from '../start/quote.ts'
import type { Variables } from './variables.ts'

export function readDatabaseUrl(variables: Variables): string | undefined {
  const url = variables.text('DATABASE_URL')
  if (!url && variables.production)
    variables.addError('DATABASE_URL must be set in production: the default is for development only.')
  if (url) check(variables, 'DATABASE_URL', url)
  return url
}

/** Where replicas of the database are; none of the embedded one. */
export function readReplicaUrls(variables: Variables): string[] {
  const urls = variables.list('DATABASE_REPLICA_URLS', variables.text('DATABASE_REPLICA_URLS'))
  for (const url of urls) check(variables, 'Each of DATABASE_REPLICA_URLS', url)
  if (urls.length > 0 && !variables.text('DATABASE_URL'))
    variables.addError(
      'DATABASE_URL must be set where DATABASE_REPLICA_URLS is: the embedded Postgres has no replicas.',
    )
  return urls
}

function check(variables: Variables, name: string, url: string): void {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    variables.addError(
      `${name} must be a URL that starts with postgres:// or postgresql://, not ${quoteWithoutSecrets(url)}.`,
    )
}
