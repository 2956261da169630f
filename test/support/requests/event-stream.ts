/** An event of a stream, with its fields as they were sent. */
export interface ReceivedEvent {
  event: string
  data: Record<string, unknown>
}

/** An open stream of server-sent events, read as the HTML standard says. */
export class ReceivedStream {
  lastEventId = ''
  retry = 0
  private readonly events: ReceivedEvent[] = []
  private readonly done: Promise<void>
  private arrived: () => void = () => {}
  private isDone = false

  constructor(
    private readonly response: Response,
    private readonly abort: AbortController,
  ) {
    this.done = this.read()
      .catch(() => {})
      .finally(() => {
        this.isDone = true
        this.arrived()
      })
  }

  get status(): number {
    return this.response.status
  }

  get headers(): Headers {
    return this.response.headers
  }

  /** The next event, at the latest after ten seconds. */
  async nextEvent(): Promise<ReceivedEvent> {
    const end = Date.now() + 10_000
    while (this.events.length === 0) {
      if (this.isDone || Date.now() > end) throw new Error('The stream sent no further event.')
      await new Promise<void>((resolve) => {
        this.arrived = resolve
        setTimeout(resolve, 100)
      })
    }
    return this.events.shift() as ReceivedEvent
  }

  async next(): Promise<Record<string, unknown>> {
    return (await this.nextEvent()).data
  }

  /** The events until the server ends the stream. */
  async rest(): Promise<ReceivedEvent[]> {
    await this.done
    return this.events.splice(0)
  }

  close(): void {
    this.abort.abort()
  }

  private async read(): Promise<void> {
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of this.response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true })
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        this.dispatch(text.slice(0, end).split('\n'))
        text = text.slice(end + 2)
      }
    }
  }

  private dispatch(lines: string[]): void {
    const fields = new Map(lines.map((line) => line.split(/: ?(.*)/s).slice(0, 2) as [string, string]))
    this.lastEventId = fields.get('id') ?? this.lastEventId
    this.retry = Number(fields.get('retry') ?? this.retry)
    const data = fields.get('data')
    if (data !== undefined) this.events.push({ event: fields.get('event') ?? 'message', data: JSON.parse(data) })
    this.arrived()
  }
}

/** Opens a stream; the answer may also be a problem. */
export async function openStream(url: string, headers: Record<string, string> = {}): Promise<ReceivedStream> {
  const abort = new AbortController()
  return new ReceivedStream(await fetch(url, { headers, signal: abort.signal }), abort)
}
