import type { Server } from 'node:http'
import request, { type Test } from 'supertest'

const page = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

/** Requests as a browser sends them: with its cookies, and with the headers that say where a request comes from. */
export class Browser {
  readonly cookies = new Map<string, string>()

  constructor(
    private readonly server: Server | string,
    private readonly agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  ) {}

  /** A page that a link or the person opens. */
  open(path: string, site = 'same-origin'): Test {
    return this.send('get', path).set({ 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': 'navigate' })
  }

  /** A form of a page. */
  submit(path: string, fields: Record<string, string> | [string, string][], site = 'same-origin'): Test {
    const test = this.send('post', path).set({ 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': 'navigate' })
    return test.type('form').send(new URLSearchParams(fields).toString())
  }

  /** A form with a file. */
  upload(path: string, fields: [string, string][], file: Buffer, filename: string): Test {
    const test = this.send('post', path).set({ 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'navigate' })
    for (const [name, value] of fields) test.field(name, value)
    return test.attach('file', file, filename)
  }

  /** A request with the cookies alone. */
  send(method: 'get' | 'head' | 'post' | 'patch' | 'delete', path: string): Test {
    const test = request(this.server)[method](path).redirects(0).set({ Accept: page, 'User-Agent': this.agent })
    if (this.cookies.size > 0) test.set('Cookie', [...this.cookies].map((pair) => pair.join('=')).join('; '))
    return test.on('response', ({ headers }) => this.keep(headers['set-cookie']))
  }

  /** Signs in with a token, and returns the address that the browser is sent to. */
  async signIn(token: string): Promise<string> {
    const { headers } = await this.submit('/session', { token }).expect(303)
    return headers.location
  }

  /** The form token of the page of the session. */
  async formToken(): Promise<string> {
    const { text } = await this.open('/session').expect(200)
    return /name="_token" value="([\w-]+)"/.exec(text)?.[1] as string
  }

  private keep(cookies: string[] | string = []): void {
    for (const cookie of [cookies].flat()) {
      const [pair] = cookie.split(';')
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
  }
}
