import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** The headless shell is Chromium without windows: a page costs a third of its CPU. */
const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']
const places = names.map((name) => `/usr/bin/${name}`)
const executablePath = [process.env.CHROMIUM ?? '', ...places].find((path) => existsSync(path))

/** Chromium has no sandbox under root; its background requests to its vendor are switched off. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Tests in a real browser. Without one they are skipped, and their title says so. */
export function describeInChromium(title: string, tests: (browser: () => Browser) => void): void {
  let browser: Browser
  const why = ' (skipped: install chromium, or say in CHROMIUM where it is)'
  const describeThere = executablePath ? describe : describe.skip
  describeThere(executablePath ? title : title + why, () => {
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath, args })
    }, 60_000)
    afterAll(() => browser?.close())
    tests(() => browser)
  })
}

/** A person's browser, which writes down everything that is wrong with the pages that it opens. */
export class Visitor {
  /** Errors of scripts, refusals by the policy, requests to other servers, and files that were not found. */
  readonly complaints: string[] = []

  private constructor(
    readonly context: BrowserContext,
    private readonly origin: string,
  ) {
    context.on('console', (message) => {
      // The page of a problem is an error for the console too.
      const isOfPage = message.location().url === message.page()?.url() && /status of 4\d\d/.test(message.text())
      const isFault = !isOfPage && !isStream(message.location().url)
      if (['error', 'warning'].includes(message.type()) && isFault) this.complain(message.page(), message.text())
    })
    context.on('weberror', (error) => this.complain(error.page(), String(error.error())))
    context.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin)
        this.complaints.push(`request to ${request.url()}`)
    })
    context.on('response', (response) => {
      const isFault = response.status() >= 400 && !isStream(response.url())
      if (isFault && !response.request().isNavigationRequest())
        this.complaints.push(`${response.status()} ${response.url()}`)
    })
  }

  static async open(browser: Browser, origin: string, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await browser.newContext({ locale: 'en', ...options })
    // A busy machine may take half a minute to start the largest scripts.
    context.setDefaultTimeout(60_000)
    return new Visitor(context, origin)
  }

  /** Signs in by the form of the sign-in page. */
  async signIn(token: string): Promise<Page> {
    const page = await this.context.newPage()
    await page.goto(`${this.origin}/session`)
    await page.locator('#token').fill(token)
    await page.locator('#by-token ~ form button').click()
    await page.waitForURL((url) => url.pathname !== '/session')
    return page
  }

  private complain(page: Page | null, text: string): void {
    this.complaints.push(`${page?.url()}: ${text}`)
  }
}

/** A person may have ten streams. Tests open many browsers for one, and a page that is left ends its stream a moment later. */
function isStream(url: string): boolean {
  return URL.canParse(url) && new URL(url).pathname.endsWith('/.well-known/mercure')
}
