import { readConfig } from '../../src/config.ts'

describe('A mail server', () => {
  const [SMTP_URL, MAIL_FROM] = ['smtp://user:secret@mail.example:587', 'ops@acme.example']

  test('is not configured by default', () => {
    expect(readConfig({}).smtp).toBeUndefined()
  })

  test.each([
    ['ops@acme.example', { name: '', address: 'ops@acme.example' }],
    ['<ops@acme.example>', { name: '', address: 'ops@acme.example' }],
    ['Acme Ops <ops@acme.example>', { name: 'Acme Ops', address: 'ops@acme.example' }],
    ['"Acme, Inc." <ops@acme.example>', { name: 'Acme, Inc.', address: 'ops@acme.example' }],
  ])('sends from %s', (from, read) => {
    expect(readConfig({ SMTP_URL, MAIL_FROM: from }).smtp).toEqual({ url: SMTP_URL, from: read })
  })

  test.each([
    ['SMTP_URL', 'mail.example'],
    ['SMTP_URL', 'http://user:secret@mail.example'],
    ['SMTP_URL', 'smtp://'],
    ['MAIL_FROM', 'Acme'],
    ['MAIL_FROM', 'a@b.example, c@d.example'],
    ['MAIL_FROM', 'Acme <a@b.example> <c@d.example>'],
    ['MAIL_FROM', 'Acme, Inc. <ops@acme.example>'],
  ])('is refused with %s=%s, in one sentence that repeats no password', (name, value) => {
    const sentence = refusal({ SMTP_URL, MAIL_FROM, [name]: value })
    expect(sentence).toMatch(new RegExp(`^${name} must .+\\.$`))
    expect(sentence).not.toContain('secret')
  })

  test('needs both of its variables', () => {
    for (const one of [{ SMTP_URL }, { MAIL_FROM }])
      expect(refusal(one)).toBe('SMTP_URL and MAIL_FROM must be set together or not at all.')
  })

  test('is required in production', () => {
    const other = {
      STRIPE_SECRET_KEY: 'sk_live_1',
      STRIPE_PUBLISHABLE_KEY: 'pk_live_1',
      STRIPE_WEBHOOK_SECRET: 'whsec_1',
      PUBLIC_URL: 'https://api.example',
      DATABASE_URL: 'postgres://db.example/api',
    }
    expect(refusal({ NODE_ENV: 'production', ...other })).toMatch(
      /^SMTP_URL and MAIL_FROM must be set in production: .+\.$/m,
    )
  })

  function refusal(environment: Record<string, string | undefined>): string {
    try {
      return `It was read: ${JSON.stringify(readConfig(environment))}`
    } catch (error) {
      return (error as Error).message
    }
  }
})
