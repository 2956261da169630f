/** How long the button says that the text is copied. */
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
      const isCopied = await navigator.clipboard.writeText(text).then(
        () => true,
        // The person, or a policy of the browser, may refuse the clipboard.
        () => false,
      )
      if (!isCopied) return
      button.textContent = this.getAttribute('done')
      setTimeout(() => {
        button.textContent = label
      }, doneMs)
    })
    this.append(' ', button)
  }
}
