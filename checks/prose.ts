import { readFileSync } from 'node:fs'
import { filesOf, lineOf, type Node, parse, type Source } from './source.ts'

/** A text of the project, and the place where it starts. */
interface Prose {
  place: string
  text: string
  kind: 'comment' | 'message' | 'title' | 'document'
}

/** A text in each language. */
type Texts = Record<string, string>

/** The prose of a context file. */
interface ContextFile {
  about?: Texts
  description?: Record<string, Texts>
}

/** The most words of a sentence, by the kind of its text. */
const maxWords = { comment: 25, message: 20, title: 25, document: 40 }

/** Words that make a reader look twice; a sentence whose subject they are is as hard to read. */
const bannedWords =
  /\b(anew|thus|lest|nobody|somebody|whoever|whomever|whatever it be|put aside|under way|at hand|let go of|tells? of|told of|rings? for|that of which|such as is|whether or not it be)\b/i
const bannedSubject = /^(What|Who|Whose|Whom|Whoever|That which)\b/

/** The heading of the operations on a page. It is no sentence. */
const actionsHeading = 'What you can do'

/** A free relative in mid-sentence stands for a thing without a name; after a verb of asking it is an indirect question. */
const freeRelative =
  /(?:[,;:] (?:what|whoever) |\b(?:of|by|from|with|for|to|than|as|and|or|but|is|are) (?:what|whoever) )(?!to )/i
const indirectQuestion =
  /\b(?:ask|say|tell|know|decide|show|state|name|record|explain|see|find|mean|learn|check|choose|depend|question|list|compare|log|write|report|read|print|answer|describe|remember|define|determine)\w*\b[^.;:]*\b(?:what|whichever)/i

/** The reference's own sentences stay as they are, whatever their length. */
const reference = readFileSync('test/documentation/reference.nl.txt', 'utf8')

const findings: string[] = []
const asked = process.argv.slice(2)
const paths =
  asked.length > 0
    ? asked
    : ['src', 'entities', 'contexts', 'ormconfig.ts', 'test', 'bench', 'checks', 'deploy', '*.md', 'docs']
for (const file of filesOf(...paths)) {
  if (file.startsWith('test/clients/openapi/') || file === 'CHANGELOG.md' || file === 'checks/prose.ts') continue
  if (/\.tsx?$/.test(file)) for (const prose of proseOf(parse(file))) check(prose)
  else if (file.endsWith('.jsonld')) for (const prose of definitionsOf(file)) check(prose)
  else if (file.endsWith('.md')) for (const prose of paragraphsOf(file)) check(prose)
}
for (const finding of findings) console.error(finding)
if (findings.length > 0) process.exitCode = 1

function check({ place, text, kind }: Prose): void {
  for (const sentence of sentencesOf(text)) {
    if (reference.includes(sentence)) continue
    const shown = sentence.length > 90 ? `${sentence.slice(0, 90)}…` : sentence
    // Messages below src/emulators/stripe have no limit of length, because they repeat Stripe's texts.
    const limit = kind === 'message' && place.startsWith('src/emulators/stripe/') ? Infinity : maxWords[kind]
    const words = sentence.split(/\s+/).filter((word) => /[\p{L}\d]/u.test(word)).length
    if (words > limit) findings.push(`${place}: a sentence of ${words} words, ${limit} are the most: ${shown}`)
    const banned = bannedWords.exec(sentence)
    if (banned) findings.push(`${place}: "${banned[0]}" is hard to read: ${shown}`)
    const free = freeRelative.exec(sentence)
    if (free && !sentence.endsWith('?') && !indirectQuestion.test(sentence.slice(0, free.index + free[0].length)))
      findings.push(`${place}: "${free[0].trim()}" has no thing with a name: ${shown}`)
    if (bannedSubject.test(sentence) && !sentence.endsWith('?') && sentence !== actionsHeading)
      findings.push(`${place}: the subject is no thing with a name: ${shown}`)
  }
}

/** Sentences end with a full stop, a question or an exclamation mark, or with their paragraph; code counts as one word. */
function sentencesOf(text: string): string[] {
  const plain = text.replace(/`[^`\n]*`|"nobody"/g, 'code').replace(/https?:\/\/\S+/g, 'URL')
  return plain
    .split(/\n\s*\n|\n\s*(?=[-*] |\d+\. |@)/)
    .map((paragraph) =>
      paragraph
        .replace(/^@\w+ (\w+ )?/, '')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .flatMap((paragraph) => paragraph.split(/(?<=[.!?…]["”')]?) (?=[\p{Lu}"“`'(])/u))
    .filter((sentence) => sentence !== '')
}

function proseOf(source: Source): Prose[] {
  const tests = source.file.startsWith('test/')
  return [...commentsOf(source), ...(tests ? titlesOf(source) : messagesOf(source))]
}

/** Comments that follow each other line by line are one text. */
function commentsOf(source: Source): Prose[] {
  const found: (Prose & { end: number })[] = []
  for (const { type, value, start, end } of source.comments) {
    if (/^\s*(biome-ignore|@ts-|<reference)|^\/ </.test(value)) continue
    const text = type === 'Block' ? value.replace(/^\s*\*+ ?/gm, '') : value.trim()
    const last = found.at(-1)
    const joined = last && type === 'Line' && /^\n[ \t]*$/.test(source.text.slice(last.end, start))
    if (joined) Object.assign(last, { text: `${last.text}\n${text}`, end })
    else found.push({ place: placeOf(source, start), text, kind: 'comment', end })
  }
  return found
}

/** Literals that are sentences for people: several words, no SQL, no markup. */
function messagesOf(source: Source): Prose[] {
  const parts = new Set<Node>()
  const found: Prose[] = []
  for (const node of source.nodes) {
    if (parts.has(node)) continue
    const text = textOf(node, parts)
    if (text === undefined || text.split(/\s+/).length < 4 || !/^[\p{Lu}\p{Ll}`"“]/u.test(text)) continue
    if (
      /\b(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|CREATE|ALTER|VALUES|SET|NULL|ORDER BY)\b|[{}<>;=]|" (uuid|text|int)|^\w+:/.test(
        text,
      )
    )
      continue
    found.push({ place: placeOf(source, node.start), text, kind: 'message' })
  }
  return found
}

/** The text of a literal, a template or a sum of them; a value that is put in counts as one word. */
function textOf(node: Node, parts: Set<Node>): string | undefined {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node.type === 'TemplateLiteral') {
    const quasis = node.quasis as Node[]
    for (const part of quasis) parts.add(part)
    return quasis.map(({ value }) => (value as { cooked: string }).cooked).join('value')
  }
  if (node.type !== 'BinaryExpression' || node.operator !== '+') return undefined
  const [left, right] = [node.left as Node, node.right as Node]
  const [before, after] = [textOf(left, parts), textOf(right, parts)]
  if (before === undefined && after === undefined) return undefined
  for (const part of [left, right]) parts.add(part)
  return `${before ?? 'value'}${after ?? 'value'}`
}

/** The titles of tests and of groups of tests. */
function titlesOf(source: Source): Prose[] {
  const calls = source.nodes.filter(({ type, callee }) => {
    const name = callee as
      | { name?: string; callee?: { object?: { name?: string } }; object?: { name?: string } }
      | undefined
    const called = name?.name ?? name?.object?.name ?? name?.callee?.object?.name
    return type === 'CallExpression' && ['test', 'it', 'describe'].includes(called ?? '')
  })
  return calls.flatMap((call) => {
    const [first] = call.arguments as Node[]
    const text = first && textOf(first, new Set())
    return text === undefined || text === ''
      ? []
      : [{ place: placeOf(source, call.start), text: capital(text), kind: 'title' as const }]
  })
}

/** A title may begin with a small letter. */
function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1)
}

/** The sentences of a context that define its class and its properties. */
function definitionsOf(file: string): Prose[] {
  const { about = {}, description = {} } = JSON.parse(readFileSync(file, 'utf8')) as ContextFile
  const texts = [about, ...Object.values(description)].flatMap((each) => Object.values(each))
  return texts.map((text) => ({ place: file, text, kind: 'comment' as const }))
}

/** The paragraphs of a document, without its code, tables and links' addresses. */
function paragraphsOf(file: string): Prose[] {
  const text = readFileSync(file, 'utf8')
    .replace(/^```[\s\S]*?^```/gm, (block) => block.replace(/[^\n]/g, ''))
    .replace(/^\|.*$/gm, '')
    .replace(/\]\([^)]*\)/g, ']')
  let line = 1
  return text.split('\n\n').map((paragraph) => {
    const place = `${file}:${line}`
    line += paragraph.split('\n').length + 1
    return { place, text: paragraph.replace(/^#+ /, ''), kind: 'document' as const }
  })
}

function placeOf(source: Source, position: number): string {
  return `${source.file}:${lineOf(source, position)}`
}
