import sanitize from 'sanitize-html'

const words = (text: string) => text.trim().split(/\s+/)

/**
 * A style value is a sequence of words, numbers, quoted names and colors. Other functions, URLs and escapes do not match.
 * A text matches in at most one way, so a mismatch takes linear time.
 */
const token = String.raw`(?:[a-z-]+|#[\da-f]{3,8}|[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:px|pt|pc|em|rem|ex|ch|cm|mm|in|vw|vh|%)?|"[\w .-]*"|'[\w .-]*'|(?:rgb|hsl)a?\([\d\s.,%/]*\)|!important)`
const tokens = String.raw`${token}(?:(?:\s+(?:[,/]\s*)?|[,/]\s*)${token})*`
const safeValue = [new RegExp(`^(?=.{1,200}$)${tokens}$`, 'i')]

/** Negative margins are refused: they move a box over the elements beside it. */
const safeMargin = [new RegExp(String.raw`^(?!.*-[\d.])(?=.{1,200}$)${tokens}$`, 'i')]

const styles = words(`
  background background-color border border-bottom border-bottom-color border-bottom-style border-bottom-width
  border-collapse border-color border-left border-left-color border-left-style border-left-width border-radius
  border-right border-right-color border-right-style border-right-width border-spacing border-style border-top
  border-top-color border-top-style border-top-width border-width color direction display font font-family font-size
  font-style font-variant font-weight height letter-spacing line-height list-style-type max-height max-width min-height
  min-width padding padding-bottom padding-left padding-right padding-top table-layout text-align text-decoration
  text-transform vertical-align white-space width word-break word-spacing word-wrap
`)
const margins = words('margin margin-bottom margin-left margin-right margin-top')

/** Elements that mail clients can show. Nothing may run, load, overlay the page or reuse its element names. */
const whitelist: sanitize.IOptions = {
  allowedTags: words(`
    a abbr address b blockquote br caption center code col colgroup div em font h1 h2 h3 h4 h5 h6 hr i img li ol p pre s
    small span strong sub sup table tbody td tfoot th thead tr u ul
  `),
  allowedAttributes: {
    '*': ['align', 'bgcolor', 'dir', 'height', 'lang', 'style', 'title', 'valign', 'width'],
    a: ['href', 'rel', 'target'],
    font: ['color', 'face', 'size'],
    img: ['alt', 'border', 'src'],
    table: ['border', 'cellpadding', 'cellspacing', 'role'],
    td: ['colspan', 'rowspan'],
    th: ['colspan', 'rowspan', 'scope'],
  },
  allowedStyles: {
    '*': {
      ...Object.fromEntries(styles.map((style) => [style, safeValue])),
      ...Object.fromEntries(margins.map((margin) => [margin, safeMargin])),
    },
  },
  allowedSchemes: ['https', 'http', 'mailto', 'tel'],
  allowedSchemesByTag: { img: ['https'] },
  allowProtocolRelative: false,
  nestingLimit: 64,
  nonTextTags: words(`
    applet embed frameset head iframe math noembed noframes noscript object option plaintext script select style svg
    template textarea title xmp
  `),
  selfClosing: words('br col hr img'),
  transformTags: { a: absoluteLink, img: absoluteImage, table: layoutTable },
}

/**
 * Sanitizes untrusted HTML for pages and mails. Sanitizing the result again changes nothing.
 * @returns the safe HTML; an empty string if five rounds do not reach a stable result
 */
export function sanitizeHtml(html: string): string {
  let dirty = html
  for (let rounds = 0; rounds < 5; rounds++) {
    const clean = sanitize(dirty, whitelist)
    if (clean === dirty) return clean
    dirty = clean
  }
  return ''
}

/** Links must be absolute. A page that a link opens gets no reference to the opening window (`noopener`). */
function absoluteLink(tagName: string, { href, target, rel: _, ...attribs }: sanitize.Attributes): sanitize.Tag {
  const leads = /^(https?:\/\/[^\s\\/]|mailto:|tel:)/i.test(href?.trimStart() ?? '')
  const opens = target?.trim().toLowerCase() === '_blank'
  return {
    tagName,
    attribs: {
      ...(leads && href && { href: href.trim() }),
      ...(leads && opens && { target: '_blank', rel: 'noopener noreferrer' }),
      ...attribs,
    },
  }
}

/** Images must be absolute: a mail has no base URL. */
function absoluteImage(tagName: string, { src, ...attribs }: sanitize.Attributes): sanitize.Tag {
  const found = /^https:\/\/[^\s\\/]/i.test(src?.trimStart() ?? '')
  return { tagName, attribs: found && src ? { src: src.trim(), ...attribs } : attribs }
}

/** A table may have the role `presentation` and no other. */
function layoutTable(tagName: string, { role, ...attribs }: sanitize.Attributes): sanitize.Tag {
  return { tagName, attribs: role === 'presentation' ? { ...attribs, role } : attribs }
}
