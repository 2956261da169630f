import { STATUS_CODES } from 'node:http'
import { Scroll } from '../parts/scroll.tsx'
import { ClassSection } from './class-section.tsx'
import type { Reference } from './reference.ts'

/** The content of the reference: its chapters, the class diagram and the statuses. */
export function ReferencePage(reference: Reference) {
  const { words, chapters } = reference
  return (
    <>
      <p>{words.intro}</p>
      <Formats {...reference} />
      <Contents {...reference} />
      {chapters.map((chapter) => (
        <section key={chapter.id} aria-labelledby={chapter.id}>
          <h2 id={chapter.id}>{chapter.title}</h2>
          <p>{chapter.about}</p>
          {chapter.classes.map((one) => (
            <ClassSection key={one.name} reference={reference} described={one} />
          ))}
        </section>
      ))}
      <Diagram {...reference} />
      <Statuses {...reference} />
    </>
  )
}

function Formats({ api, words }: Reference) {
  const formats = [
    ['/docs', 'Swagger UI'],
    ['/docs.jsonopenapi', 'OpenAPI'],
    ['/docs.jsonld', 'Hydra'],
    ['/docs.ttl', 'Turtle'],
  ]
  return (
    <>
      <p>{words.formats}</p>
      <ul class="formats">
        {formats.map(([path, name]) => (
          <li key={path}>
            <a href={api.iris.at(path)}>{name}</a>
          </li>
        ))}
      </ul>
    </>
  )
}

function Contents({ api, tag, words, chapters }: Reference) {
  return (
    <nav aria-labelledby="contents" class="chapters">
      <h2 id="contents">{words.contents}</h2>
      <ul>
        {chapters.map(({ id, title, classes }) => (
          <li key={id}>
            <a href={`#${id}`}>{title}</a>
            <ul>
              {classes.map(({ name }) => (
                <li key={name}>
                  <a href={`#${name}`}>{api.labels.label(tag, name)}</a>
                </li>
              ))}
            </ul>
          </li>
        ))}
        <li>
          <a href="#diagram">{words.diagram}</a>
        </li>
        <li>
          <a href="#statuses">{words.statuses}</a>
        </li>
      </ul>
    </nav>
  )
}

/** The diagram, and the same as text for those who cannot see it. */
function Diagram({ api, tag, words, boxes, diagram }: Reference) {
  return (
    <section aria-labelledby="diagram">
      <h2 id="diagram">{words.diagram}</h2>
      <p>{words.diagramAbout}</p>
      <Scroll label={words.diagram}>{diagram}</Scroll>
      <details>
        <summary>{words.diagramText}</summary>
        <ul>
          {boxes.map(({ name, label, references }) => (
            <li key={name}>
              <a href={`#${name}`}>{label}</a> {references.length > 0 ? words.refersTo : words.refersToNothing}{' '}
              {references.map((field, index) => (
                <>
                  {index > 0 && ', '}
                  <a href={`#${field.target}`}>{api.labels.label(tag, field.target as string)}</a> (
                  <code>{field.name}</code>
                  {field.isList && `, ${words.many}`})
                </>
              ))}
            </li>
          ))}
        </ul>
      </details>
    </section>
  )
}

function Statuses({ api, words, chapters, to }: Reference) {
  const found = chapters.flatMap(({ classes }) => classes.flatMap(({ operations }) => operations))
  const statuses = [...new Set(found.flatMap((operation) => operation.statuses))].sort((a, b) => a - b)
  return (
    <section aria-labelledby="statuses">
      <h2 id="statuses">{words.statuses}</h2>
      <p>{words.statusesAbout}</p>
      <dl class="index" lang="en">
        {statuses.map((status) => (
          <div key={status} id={`Status/${status}`}>
            <dt>{status < 300 ? status : <a href={to(api.iris.at(`/errors/${status}`))}>{status}</a>}</dt>
            <dd>{STATUS_CODES[status]}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
