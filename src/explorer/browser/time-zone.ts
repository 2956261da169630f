/**
 * Shows the times of the page in the reader's time zone, and in that of the organization on demand:
 * `<time-zone zone="Europe/Amsterdam" locale="nl" reader="Times are in {zone}." choose="Show {zone}">…</time-zone>`.
 */
export class TimeZone extends HTMLElement {
  private readonly sentence = document.createElement('span')
  private readonly button = document.createElement('button')

  connectedCallback(): void {
    const zone = this.getAttribute('zone') ?? ''
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone
    if (own === zone || this.contains(this.button)) return
    const drawn = this.textContent
    const times = [...document.querySelectorAll<HTMLTimeElement>('main time[datetime*="T"]')].map((time) => ({
      time,
      text: time.textContent,
    }))
    const locale = this.getAttribute('locale') ?? undefined
    const format = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: own })
    const show = (isOwn: boolean) => {
      for (const { time, text } of times) {
        const shown = isOwn ? format.format(new Date(time.dateTime)) : text
        // The title of the page ends with the time of its heading.
        if (time.closest('h1')) document.title = document.title.replace(time.textContent ?? '', shown ?? '')
        time.textContent = shown
        time.title = isOwn ? own : zone
      }
      this.sentence.textContent = isOwn ? this.words('reader', own) : drawn
      this.button.textContent = this.words('choose', isOwn ? zone : own)
      this.button.onclick = () => show(!isOwn)
    }
    this.sentence.setAttribute('role', 'status')
    this.button.type = 'button'
    this.button.className = 'plain'
    show(true)
    this.replaceChildren(this.sentence, ' ', this.button)
  }

  private words(name: string, zone: string): string {
    return (this.getAttribute(name) ?? '').replace('{zone}', zone)
  }
}
