import { parseEnv } from 'node:util'
import { readConfig } from '../../src/config.ts'

export type Values = Record<string, string>

/** Values for the variables that a file leaves blank, because they are secrets or differ by installation. */
const fillings: Values = {
  DATABASE_URL: 'postgres://api@db.example/api',
  DATABASE_OWNER_URL: 'postgres://api_owner@db.example/api',
  STRIPE_PUBLISHABLE_KEY: 'pk_live_1',
  STRIPE_SECRET_KEY: 'sk_live_1',
  STRIPE_WEBHOOK_SECRET: 'whsec_1',
  SMTP_URL: 'smtp://mail.example',
  KONTOMATIK_API_KEY: 'key',
  SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
}

export function parseEnvironment(text: string): Values {
  return parseEnv(text) as Values
}

/**
 * The errors of a server that starts in production with these variables and filled blanks. Further faults are names that it does
 * not read, and secrets that are not blank.
 */
export function environmentFaults(values: Values): string[] {
  const filled: Values = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value || (fillings[name] ?? '')]),
  )
  const read = new Set<PropertyKey>()
  const environment = new Proxy({ ...filled, NODE_ENV: 'production' } as Values, {
    get: (target, name: string) => {
      read.add(name)
      return withPassword(target[name])
    },
  })
  const secrets = ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET', 'SMTP_URL', 'KONTOMATIK_API_KEY', 'SECRETS_KEY']
  return [
    ...errorsOf(() => readConfig(environment)),
    ...Object.keys(values)
      .filter((name) => !read.has(name))
      .map((name) => `The server reads no variable ${name}.`),
    ...secrets.filter((name) => values[name]).map((name) => `${name} must be blank: this file is public.`),
  ]
}

/** The value of Compose where its variable is a password. */
export function withPassword(value: string | undefined): string | undefined {
  return value?.replace(/\$\{[^}]*\}/, 'password')
}

function errorsOf(read: () => void): string[] {
  try {
    read()
    return []
  } catch (error) {
    return (error as Error).message.split('\n')
  }
}
