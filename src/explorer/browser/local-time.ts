/** Shows a time in the time zone of the reader, with its name: `<local-time><time datetime="…">…</time></local-time>`. */
export class LocalTime extends HTMLElement {
  connectedCallback(): void {
    for (const time of this.querySelectorAll('time')) {
      const date = new Date(time.dateTime)
      if (Number.isNaN(date.getTime())) continue
      const { lang } = document.documentElement
      time.title = time.textContent ?? ''
      time.textContent = date.toLocaleString(lang, { dateStyle: 'medium', timeStyle: 'long' })
    }
  }
}
