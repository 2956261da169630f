const { database, given, organization, publicUrl, tenant, tokenOf } = await openWorld()

// Each program is unchanged from npm. They need TypeScript 5, so they are a package of their own: test/clients/openapi.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Location } from '../../entities/index.ts'
import { png } from '../images/sample-images.ts'
import { openapi } from '../support/docs.ts'
import { openWorld } from '../support/world.ts'

const home = resolve('test/clients/openapi')
const generated = join(home, 'generated')
const description = join(generated, 'openapi.json')
const isInstalled = existsSync(join(home, 'node_modules/openapi-typescript'))
const why = isInstalled ? '' : ' (skipped: run `npm ci --ignore-scripts --prefix test/clients/openapi`)'
const describeThere = isInstalled ? describe : describe.skip

if (why) console.warn(`The clients of OpenAPI are not tested${why}.`)

beforeAll(async () => {
  await rm(generated, { recursive: true, force: true })
  await mkdir(generated)
  await writeFile(description, JSON.stringify(openapi))
})

afterAll(() => rm(generated, { recursive: true }))

/** Runs a program of the package in its folder, without its check for updates. */
function run(program: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const quiet = { NODE_OPTIONS: '', REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1' }
  const options = { cwd: home, timeout: 60_000, env: { ...process.env, ...quiet } }
  return new Promise((done) => {
    const child = execFile(process.execPath, [`node_modules/${program}`, ...args], options, (_, out, err) =>
      done({ code: child.exitCode ?? -1, output: out + err }),
    )
  })
}

describeThere(`Linters of OpenAPI${why}`, () => {
  test('redocly lint with its recommended rules finds no error and no warning', async () => {
    const { code, output } = await run('@redocly/cli/bin/cli.js', 'lint', description, '--format=json')
    expect(JSON.parse(output.slice(output.indexOf('{\n'), output.lastIndexOf('}') + 1)).problems).toEqual([])
    expect(code).toBe(0)
  })

  test('spectral with its rules for OpenAPI finds no error and no warning', async () => {
    const words = ['lint', description, '--ruleset=spectral.yaml', '--fail-severity=hint', '--format=text']
    expect(await run('@stoplight/spectral-cli/dist/index.js', ...words)).toEqual({
      code: 0,
      output: expect.stringMatching(/^No results with a severity of 'hint' or higher found!\s*$/),
    })
  })
})

describeThere(`openapi-typescript and openapi-fetch${why}`, () => {
  test('generate a typed client that creates, updates, uploads, filters and reads errors', async () => {
    expect(
      await run('openapi-typescript/bin/cli.js', description, '--output', join(generated, 'api.d.ts')),
    ).toMatchObject({ code: 0 })
    expect(await run('typescript/bin/tsc', '--project', '.')).toEqual({ code: 0, output: '' })

    const { useApi } = await import(pathToFileURL(join(generated, 'client.js')).href)
    const location = await given(Location, { name: 'Rotterdam' })
    const token = await tokenOf(tenant.users.owner)
    const done = await useApi(publicUrl, token, new Blob([new Uint8Array(await png())], { type: 'image/png' }))

    const { id } = done.created
    expect(done).toEqual({
      created: { status: 201, type: 'Location', id: expect.stringMatching(/^[\da-f-]{36}$/), hours: [8, 17] },
      updated: { status: 200, hours: [8, 18] },
      stale: { status: 412, detail: expect.any(String) },
      refused: { status: 422, paths: expect.arrayContaining(['name', 'officeOpenHour']) },
      uploaded: { status: 201, logo: expect.stringMatching(/^\/images\//) },
      listed: { names: [location.name], total: 2, next: expect.stringContaining('/locations?') },
      found: [`/locations/${id}`],
    })
    expect(await database.manager.findOneByOrFail(Location, { id })).toMatchObject({
      organizationId: organization.id,
      name: 'Delft',
      officeCloseHour: 18,
    })
  }, 60_000)
})
