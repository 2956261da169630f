import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { collections, entrypoint, propertiesOf } from '../support/docs.ts'
import { openWorld } from '../support/world.ts'
import { run } from './run.ts'

const { publicUrl, tenant, tokenOf } = await openWorld()

const folder = await mkdtemp(join(tmpdir(), 'create-client-'))
const meeting = propertiesOf('Meeting').filter(({ readable }) => readable)

afterAll(() => rm(folder, { recursive: true }))

describe('@api-platform/create-client', () => {
  test('writes a React application for every collection', async () => {
    const { code, output } = await generate('react')

    expect(code).toBe(0)
    const names = [...collections.keys()].map((key) => key[0].toUpperCase() + key.slice(1))
    for (const name of names) {
      expect(output).toContain(`Code for the "${name}" resource type has been generated!`)
      await transform(await file('react', `interfaces/${name}.ts`), { loader: 'ts' })
      await transform(await file('react', `components/${name.toLowerCase()}/Form.tsx`), { loader: 'tsx' })
    }
    expect(await file('react', 'config/entrypoint.ts')).toContain(`"${publicUrl}"`)
  })

  test('recognizes the fields of a meeting: readable, writable, required, linked', async () => {
    const types = await file('react', 'interfaces/Meeting.ts')
    expect(namesIn(types, /^ {2}(\w+)\?: string;$/gm)).toEqual(titles(meeting))

    const form = await file('react', 'components/meeting/Form.tsx')
    expect(namesIn(form, /name="(\w+)"/g)).toEqual(titles(meeting.filter(({ writeable }) => writeable)))
    expect(namesIn(form, /name="(\w+)"\s+placeholder="[^"]*"\s+type="\w+"\s+required/g)).toEqual(
      titles(meeting.filter(({ required }) => required)),
    )
    expect(form).toMatch(/name="dateFrom"\s+placeholder="[^"]*"\s+type="dateTime"/)

    const list = await file('react', 'components/meeting/List.tsx')
    expect(namesIn(list, /<th>(\w+)<\/th>/g)).toEqual(['id', ...titles(meeting)])
    expect(list).toContain(`\`${entrypoint.employee}/show/\${encodeURIComponent(`)
  })

  test('writes a Next application and TypeScript for one of them', async () => {
    expect(await generate('next', '--hydra-prefix=', '--resource', 'meetings')).toMatchObject({ code: 0 })
    expect(await file('next', 'types/collection.ts')).toMatch(/member\?: T\[\];[\s\S]+next\?: string;/)
    const type = await file('next', 'types/Meeting.ts')
    expect(namesIn(type, /public (\w+)\?: (?:string|Date)/g)).toEqual(titles(meeting))
    await expect(file('next', 'types/Employee.ts')).rejects.toThrow('ENOENT')

    expect(await generate('typescript', '--resource', 'meetings')).toMatchObject({ code: 0 })
    expect(await file('typescript', 'interfaces/meeting.ts')).toMatch(/employee: string;\n {2}dateFrom: Date;/)
  })
})

async function generate(generator: string, ...options: string[]) {
  const token = await tokenOf(tenant.users.owner)
  const program = '@api-platform/create-client/lib/index.js'
  return run(program, '--bearer', token, '--generator', generator, ...options, publicUrl, join(folder, generator))
}

function file(generator: string, path: string): Promise<string> {
  return readFile(join(folder, generator, path), 'utf8')
}

function namesIn(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, name]) => name)
}

function titles(properties: typeof meeting): string[] {
  return properties.map(({ title }) => title)
}
