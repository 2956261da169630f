import { XMLParser } from 'fast-xml-parser'
import { type ComponentChild, h } from 'preact'
import type { ClassReference, FieldReference } from './groups.ts'

/** A class in the diagram: its label, and its fields that refer to other classes. */
interface Box {
  name: string
  label: string
  references: FieldReference[]
}

/** The resources, each with its fields that refer to other resources. */
export function boxesOf(reference: ClassReference[], labelOf: (type: string) => string): Box[] {
  const resources = reference.filter(({ kind }) => kind === 'resource')
  return resources.map(({ name, fields }) => ({
    name,
    label: labelOf(name),
    references: fields.filter(({ target }) => target !== undefined),
  }))
}

/** Lays out the diagram as SVG. Graphviz is loaded by the first call, because no other request needs it. */
export async function layOut(boxes: Box[]): Promise<string> {
  const { instance } = await import('@viz-js/viz')
  return (await instance()).renderString(dotOf(boxes), { format: 'svg', engine: 'dot' })
}

/** The diagram as elements of the page. */
export function diagramOf(svg: string, label: string): ComponentChild {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    htmlEntities: true,
    trimValues: false,
  })
  const nodes = parser.parse(svg.slice(svg.indexOf('<svg'))) as XmlNode[]
  const [root] = nodes.filter((node) => 'svg' in node)
  const { viewBox } = root[':@'] as Record<string, string>
  return h('svg', { viewBox, role: 'group', 'aria-label': label, class: 'diagram' }, elements(root.svg as XmlNode[]))
}

/** The language of Graphviz: one table a class, one row a reference. All letters of Courier have one width, in every font. */
function dotOf(boxes: Box[]): string {
  const nodes = boxes.map(({ name, label, references }) => {
    const rows = references.map(
      (field) => `<TR><TD PORT="${field.name}" HREF="#${field.fragment}" ALIGN="LEFT">${field.name}</TD></TR>`,
    )
    const head = `<TR><TD PORT="class" HREF="#${name}"><B>${escapeXml(label)}</B></TD></TR>`
    return `"${name}" [label=<<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="5">${head}${rows.join('')}</TABLE>>]`
  })
  const edges = boxes.flatMap(({ name, references }) =>
    references.map(
      (field) => `"${name}":"${field.name}" -> "${field.target}":"class" [arrowhead=${field.isList ? 'crow' : 'vee'}]`,
    ),
  )
  const settings = 'rankdir=LR; nodesep=0.3; ranksep=1.2; node [shape=plain, fontname="Courier", fontsize=12]'
  return `digraph { ${settings}; ${[...nodes, ...edges].join('; ')} }`
}

const escapeXml = (text: string) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)

/** An element of the parser, by its one name that is no key of the parser itself. */
type XmlNode = Record<string, unknown>

/** Elements of SVG as elements of the page, so that no markup is inserted as text. */
function elements(nodes: XmlNode[]): ComponentChild[] {
  return nodes.flatMap((node): ComponentChild[] => {
    if ('#text' in node) return /\S/.test(String(node['#text'])) ? [String(node['#text'])] : []
    const [name] = Object.keys(node).filter((key) => key !== ':@')
    if (name === 'title' || name.startsWith('#')) return []
    const { id, 'xlink:href': href, 'xlink:title': _, ...attributes } = (node[':@'] ?? {}) as Record<string, string>
    return [h(name, { ...attributes, ...(href && { href }) }, elements(node[name] as XmlNode[]))]
  })
}
