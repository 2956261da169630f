/** Pause after the last key before the server is asked. */
const pauseMs = 250

let count = 0

interface Choice {
  value: string
  title: string
}

/**
 * Looks a reference up while the person types (ARIA combobox with a list). It contains the select and the search of the form. The
 * page at `source` draws the same select, with the choices that a text finds.
 */
export class ReferenceLookup extends HTMLElement {
  private select!: HTMLSelectElement
  private input!: HTMLInputElement
  private readonly list = document.createElement('ul')
  private readonly status = document.createElement('span')
  private searchName = ''
  private choices: Choice[] = []
  private active = -1
  private timer = 0
  private asking: AbortController | undefined

  connectedCallback(): void {
    const [select, input] = [this.querySelector('select'), this.querySelector<HTMLInputElement>('input[type=search]')]
    if (!select || !input || this.contains(this.list)) return
    this.select = select
    this.input = input
    this.takePlaceOfSelect()
    input.addEventListener('input', () => this.askLater())
    input.addEventListener('keydown', (event) => this.press(event))
    input.addEventListener('blur', () => this.leave())
    // Without this, a press of the mouse would take the focus from the field before the click.
    this.list.addEventListener('mousedown', (event) => event.preventDefault())
    this.list.addEventListener('click', ({ target }) => {
      const option = (target as Element).closest('li')
      if (option) this.choose(this.choices[[...this.list.children].indexOf(option)])
    })
    this.append(this.list, this.status)
  }

  disconnectedCallback(): void {
    clearTimeout(this.timer)
    this.asking?.abort()
  }

  /** The select stays in the form and holds the value, and the field of the search has its label. */
  private takePlaceOfSelect(): void {
    const { select, input, list } = this
    const id = select.id
    list.id = `lookup-${++count}`
    list.hidden = true
    this.searchName = input.name
    for (const name of ['name', 'aria-label']) input.removeAttribute(name)
    for (const name of ['aria-describedby', 'aria-invalid', 'aria-labelledby']) {
      const value = select.getAttribute(name)
      if (value) input.setAttribute(name, value)
    }
    input.required = select.required
    select.required = false
    select.removeAttribute('id')
    input.id = id
    input.autocomplete = 'off'
    input.value = this.chosenTitle
    const attributes = {
      role: 'combobox',
      'aria-autocomplete': 'list',
      'aria-controls': list.id,
      'aria-expanded': 'false',
    }
    for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value)
    list.setAttribute('role', 'listbox')
    list.setAttribute('aria-label', this.getAttribute('label') ?? '')
    this.status.setAttribute('role', 'status')
    this.status.className = 'hidden'
    select.hidden = true
    // A hidden button would still be the form's default one, which Enter presses in any field.
    for (const button of this.querySelectorAll('button')) button.remove()
  }

  /** The title of the present choice. */
  private get chosenTitle(): string {
    return this.select.value === '' ? '' : (this.select.selectedOptions[0]?.text ?? '')
  }

  private askLater(): void {
    clearTimeout(this.timer)
    this.asking?.abort()
    const text = this.input.value.trim()
    if (text === '') this.close()
    else this.timer = window.setTimeout(() => this.ask(text), pauseMs)
  }

  private async ask(text: string): Promise<void> {
    this.asking = new AbortController()
    const { signal } = this.asking
    const answer = await fetch(this.address(text), { signal, headers: { Accept: 'text/html' } })
      .then((response) => (response.ok ? response.text() : undefined))
      .catch(() => undefined)
    if (signal.aborted) return
    const page = new DOMParser().parseFromString(answer ?? '', 'text/html')
    const found = page.querySelector<HTMLSelectElement>(`select[name="${CSS.escape(this.select.name)}"]`)
    // The present item stands among the choices, even if the text does not find it.
    const options = [...(found?.options ?? [])].filter(({ value, dataset }) => value !== '' && !('unfound' in dataset))
    this.open(options.map(({ value, text: title }) => ({ value, title })))
    if (answer === undefined) this.say('failed')
  }

  /** The address of the page with the choices that a text finds. */
  private address(text: string): URL {
    const url = new URL(this.getAttribute('source') ?? '', location.href)
    url.searchParams.set(this.searchName, text)
    return url
  }

  private open(choices: Choice[]): void {
    this.choices = choices
    this.list.replaceChildren(
      ...choices.map(({ title }, index) => {
        const option = document.createElement('li')
        option.id = `${this.list.id}-${index}`
        option.setAttribute('role', 'option')
        option.textContent = title
        return option
      }),
    )
    this.say(choices.length > 0 ? 'found' : 'nothing')
    this.list.hidden = choices.length === 0
    this.input.setAttribute('aria-expanded', String(choices.length > 0))
    this.activate(choices.length > 0 ? 0 : -1)
  }

  /** Says one of the sentences of the element to readers who do not see the list. */
  private say(name: 'found' | 'nothing' | 'failed'): void {
    this.status.textContent = (this.getAttribute(name) ?? '').replace('{count}', String(this.choices.length))
  }

  private close(): void {
    this.asking?.abort()
    clearTimeout(this.timer)
    this.open([])
    this.status.textContent = ''
  }

  private activate(index: number): void {
    this.active = index
    for (const [place, option] of [...this.list.children].entries())
      option.setAttribute('aria-selected', String(place === index))
    this.list.children[index]?.scrollIntoView({ block: 'nearest' })
    if (index < 0) this.input.removeAttribute('aria-activedescendant')
    else this.input.setAttribute('aria-activedescendant', `${this.list.id}-${index}`)
  }

  private press(event: KeyboardEvent): void {
    const last = this.choices.length - 1
    if (last < 0 && event.key === 'Enter') this.settle(event)
    const steps: Record<string, () => void> = {
      ArrowDown: () => this.activate(this.active < last ? this.active + 1 : 0),
      ArrowUp: () => this.activate(this.active > 0 ? this.active - 1 : last),
      Enter: () => this.choose(this.choices[this.active]),
      Escape: () => this.restore(),
    }
    if (last < 0 || !steps[event.key]) return
    event.preventDefault()
    steps[event.key]()
  }

  /** Enter sends the form. It must not send another choice than the one that the field shows. */
  private settle(event: KeyboardEvent): void {
    const text = this.input.value.trim()
    if (text !== '' && text !== this.chosenTitle) event.preventDefault()
    else this.leave()
  }

  private choose({ value, title }: Choice): void {
    const known = [...this.select.options].find((option) => option.value === value)
    if (!known) this.select.add(new Option(title, value))
    this.select.value = value
    this.restore()
  }

  /** A text that names no choice is replaced by the present one; an empty text chooses nothing. */
  private leave(): void {
    if (this.input.value.trim() === '') {
      if (![...this.select.options].some(({ value }) => value === '')) this.select.add(new Option('', ''))
      this.select.value = ''
    }
    this.restore()
  }

  private restore(): void {
    this.close()
    this.input.value = this.chosenTitle
  }
}
