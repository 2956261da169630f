import { type ModuleOverride, overrideModule } from '../workspace/modules.ts'
import { runCommand, withDatabase } from './command.ts'
import { parseOptions } from './parse-options.ts'

const usage = `npm run module -- <organization slug> <module> on [--limit <number>]  gives it, whatever is subscribed to
npm run module -- <organization slug> <module> off                  takes it, whatever is subscribed to
npm run module -- <organization slug> <module> auto                 leaves it to the subscription again`

/** `npm run module` is how the operator gives and takes modules: it has no say in what is a tenant's. */
const { positionals, values } = parseOptions({ limit: { type: 'string' } }, usage)
const [slug, name, wish = ''] = positionals
const wrong = !['on', 'off', 'auto'].includes(wish) || positionals.length !== 3
if (wrong || (values.limit !== undefined && (wish !== 'on' || !/^\d{1,9}$/.test(values.limit)))) {
  console.error(usage)
  process.exit(1)
}
const limit = values.limit === undefined ? null : Number(values.limit)
await runCommand((config) =>
  withDatabase(config, async (database) => {
    const { enabled, source, ...found } = await overrideModule(database, {
      slug,
      name,
      wish: wish as ModuleOverride,
      limit,
    })
    const by = source ? `by the ${source}` : 'as it is not subscribed to'
    console.log(
      `${slug} ${name}: ${enabled ? 'on' : 'off'} ${by}${found.limit === null ? '' : `, at most ${found.limit}`}.`,
    )
  }),
)
