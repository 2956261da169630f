/** A button that copies the text of the element whose id `from` names: `<copy-button from="curl">Copy</copy-button>`. */
export class CopyButton extends HTMLElement {
  connectedCallback(): void {
    const button = document.createElement('button')
    button.type = 'button'
    button.append(...this.childNodes)
    button.addEventListener('click', () => this.copy(button))
    this.replaceChildren(button)
  }

  private async copy(button: HTMLButtonElement): Promise<void> {
    const source = document.getElementById(this.getAttribute('from') ?? '')
    await navigator.clipboard.writeText(source?.textContent ?? '')
    button.dataset.done = 'true'
    setTimeout(() => delete button.dataset.done, 2000)
  }
}
