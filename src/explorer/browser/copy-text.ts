/** Pause before the button may be used again. */
const doneMs = 2000

/** Adds a button that copies its text: `<copy-text label="Copy" done="Copied"><code>…</code></copy-text>`. */
export class CopyText extends HTMLElement {
  connectedCallback(): void {
    // Browsers have no clipboard on pages without TLS.
    if (!navigator.clipboard || this.querySelector('button')) return
    const text = this.textContent?.trim() ?? ''
    const button = document.createElement('button')
    const label = this.getAttribute('label') ?? ''
    button.type = 'button'
    button.className = 'plain'
    button.textContent = label
    button.setAttribute('aria-live', 'polite')
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(text)
      button.textContent = this.getAttribute('done')
      setTimeout(() => {
        button.textContent = label
      }, doneMs)
    })
    this.append(' ', button)
  }
}
