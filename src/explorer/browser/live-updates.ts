/** The data of an event of the stream. */
interface Update {
  '@id': string
  collection: string
}

/** A message between the tabs of a browser: an update with the id of its event. */
interface Shared {
  id: string
  update?: Update
}

const name = 'live-updates'

/** Pause before a stream that was refused is opened again: the session may have ended. */
const refusedMs = 60_000

/**
 * Shows its content when the resource of the page has changed elsewhere: `<live-updates topic="/meetings" stream="…" hidden>`. One tab
 * of the browser holds the stream and passes its events on. When that tab closes, another one goes on from the last event.
 */
export class LiveUpdates extends HTMLElement {
  private readonly channel = new BroadcastChannel(name)
  private readonly ending = new AbortController()
  private lastId = ''

  connectedCallback(): void {
    this.channel.onmessage = ({ data }: MessageEvent<Shared>) => this.take(data)
    navigator.locks?.request(name, { signal: this.ending.signal }, () => this.stream()).catch(() => {})
  }

  disconnectedCallback(): void {
    this.ending.abort()
    this.channel.close()
  }

  private async stream(): Promise<void> {
    while (!this.ending.signal.aborted) {
      await this.streamOnce()
      await new Promise((resolve) => setTimeout(resolve, refusedMs))
    }
  }

  /** Resolves once the server has refused the stream. Interruptions are repaired by the browser. */
  private streamOnce(): Promise<void> {
    const query = new URLSearchParams({ topic: '*', ...(this.lastId && { lastEventID: this.lastId }) })
    const source = new EventSource(`${this.getAttribute('stream')}?${query}`)
    const share = (message: Shared) => {
      this.channel.postMessage(message)
      this.take(message)
    }
    source.onmessage = ({ data, lastEventId }) => share({ id: lastEventId, update: JSON.parse(data) })
    source.addEventListener('reload', ({ lastEventId }) => share({ id: lastEventId }))
    return new Promise((resolve) => {
      const stop = () => {
        source.close()
        resolve()
      }
      source.onerror = () => source.readyState === EventSource.CLOSED && stop()
      this.ending.signal.addEventListener('abort', stop)
    })
  }

  private take({ id, update }: Shared): void {
    if (id) this.lastId = id
    const topic = this.getAttribute('topic')
    if (!update || update['@id'] === topic || update.collection === topic) this.hidden = false
  }
}
