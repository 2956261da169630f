import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { IsOptional, IsString } from 'class-validator'
import { Column, DataSource, Entity, ForeignKey, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm'
import { Owned } from '../../entities/identified.ts'
import { Country, Location, Meeting, OrganizationModule, Subscription } from '../../entities/index.ts'
import type { Callers } from '../../src/access/callers.ts'
import { api, apiOptions } from '../../src/api.ts'
import {
  Api,
  createOperation,
  listOperation,
  Resource,
  type ResourceOptions,
  updateOperation,
} from '../../src/hydra/index.ts'
import { Contexts } from '../../src/hydra/model/context.ts'
import { joinShape } from '../../src/hydra/model/shape.ts'
import { requireTables } from '../../src/hydra/store/required-tables.ts'
import { checkResource } from '../../src/hydra/store/resource-requirements.ts'
import { openWorld } from '../support/world.ts'

const { banking, billing, config, database } = await openWorld()

const contexts = new Contexts(apiOptions.contexts)

type Definitions = Parameters<typeof joinShape>[4]

@Entity()
class Zeppelin {
  @PrimaryColumn('text')
  @IsString()
  id: string

  @ManyToOne(() => Zeppelin)
  building: Zeppelin

  @Column('text')
  colour: string

  @IsOptional()
  door: unknown

  get next(): string {
    return `${this.id}-next`
  }
}

/** A class that every check of a resource accepts; no resource of the application has its name. */
@Entity()
@ForeignKey(() => Location, ['organizationId', 'dockId'], ['organizationId', 'id'])
class Airship extends Owned {
  @ManyToOne(() => Location, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'dockId', referencedColumnName: 'id' })
  @IsOptional()
  dock: Location | null

  @Column('uuid', { nullable: true })
  dockId: string | null = null

  @Column('text')
  @IsString()
  name: string

  @Column('text', { select: false })
  readonly searchText: string
}

/** A class with one fault in each property. */
@Entity()
class Blimp extends Owned {
  @ManyToOne(() => Location, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'dockId', referencedColumnName: 'id' })
  dock: Location | null

  @Column('uuid', { nullable: true })
  dockId: string | null = null

  @ManyToOne(() => Location, { createForeignKeyConstraints: false })
  mast: Location | null

  @Column('uuid', { nullable: true })
  mastId: string | null = null

  @Column('text')
  colour: string
}

/** A class without the columns that the engine needs. */
@Entity()
class Kite {
  @PrimaryColumn('text')
  @IsString()
  name: string
}

const own = database.options.entities as unknown[]

/** The data source of the test database, with other classes. */
async function withClasses<T>(entities: unknown[], work: (database: DataSource) => T | Promise<T>): Promise<T> {
  const source = await new DataSource({ ...database.options, entities, migrations: [] } as never).initialize()
  try {
    return await work(source)
  } finally {
    await source.destroy()
  }
}

describe('The boot is refused where a context', () => {
  const id = 'Zeppelin/id'
  const door = 'Zeppelin/door'
  const refusals: [string, Definitions, string][] = [
    [
      'names what the class has not',
      { id, flor: 'Zeppelin/flor' },
      'contexts/Zeppelin.jsonld names "flor", which Zeppelin does not have.',
    ],
    ['leaves out what has a rule', { id }, '"Zeppelin.door" has a rule but no term in contexts/Zeppelin.jsonld.'],
    ['leaves out a link', { id, door }, 'contexts/Zeppelin.jsonld lacks "book", a link of Zeppelin.'],
    [
      'names a property like a term of Hydra',
      { id, next: 'Zeppelin/next' },
      '"Zeppelin.next" is named like a term that every document needs.',
    ],
    [
      'gives two properties one IRI',
      { id, colour: id },
      'contexts/Zeppelin.jsonld gives "id" and "colour" the same IRI, Zeppelin/id.',
    ],
    [
      'has a reference without a key',
      { id, building: { '@id': 'Zeppelin/building', '@type': '@id' } },
      '"Zeppelin.building" needs a "buildingId" column beside it.',
    ],
    [
      'has a reference to an unknown class',
      { id, door: { '@id': door, '@type': '@id' } },
      'contexts/Zeppelin.jsonld calls "door" a reference, but Zeppelin does not say to what.',
    ],
  ]

  test.each(refusals)('%s', async (_, definitions, sentence) => {
    await withClasses([Zeppelin], (zeppelins) => {
      expect(() => joinShape(Zeppelin, zeppelins, contexts, ['book'], definitions)).toThrow(new Error(sentence))
    })
  })

  test('is missing', () => {
    expect(() => joinShape(Zeppelin, database, contexts)).toThrow(/^contexts\/Zeppelin\.jsonld cannot be read: ENOENT/)
  })

  /** Boots an API, of one class alone unless the table is given, with a change of the context of that class. */
  async function bootWith(
    type: new () => object,
    change: object,
    table = [new Resource(type, '/things', [listOperation()])],
  ): Promise<void> {
    const folder = join(await mkdtemp(join(tmpdir(), 'contexts-')), 'contexts')
    await cp(apiOptions.contexts, folder, { recursive: true })
    const file = join(folder, `${type.name}.jsonld`)
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...change }))
    const changed = { ...apiOptions, ...config, contexts: pathToFileURL(`${folder}/`) }
    try {
      new Api(table, database, changed)
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  test.each([
    ['the label of a class', { label: { en: 'Country' } }, 'label of Country in "nl"'],
    ['the label of a collection', { plural: { en: 'Countries' } }, 'plural of Country in "nl"'],
    ['the description of a class', { about: { nl: 'Een land.' } }, 'description of Country in "en"'],
    ['the label of a property', { labels: {} }, 'label of "id" in "en"'],
    ['the description of a property', { description: {} }, 'description of "id" in "en"'],
  ])('lacks %s in Dutch or English', async (_, change, sentence) => {
    await expect(bootWith(Country, change)).rejects.toThrow(new Error(`contexts/Country.jsonld lacks the ${sentence}.`))
  })

  test('lacks the label of a value', async () => {
    await expect(bootWith(OrganizationModule, { valueLabels: {}, operations: {} })).rejects.toThrow(
      new Error('contexts/OrganizationModule.jsonld lacks the label of "planning" in "valueLabels" of "name" in "en".'),
    )
  })

  test.each([
    ['every label', {}, 'name'],
    ['one label', { metadata: { name: { en: 'Name', nl: 'Naam' } } }, 'value'],
  ])('lacks %s of the members of a list of objects', async (_, memberLabels, member) => {
    await expect(bootWith(Subscription, { memberLabels }, api({} as Callers, billing, banking))).rejects.toThrow(
      new Error(`contexts/Subscription.jsonld lacks the label of "${member}" in "memberLabels" of "metadata" in "en".`),
    )
  })

  test.each([
    ['the title of an operation', { title: () => 'Count countries' }, 'title'],
    ['the description of an operation', { description: 'It counts.' }, 'description'],
  ])('lacks %s in Dutch', async (_, own, text) => {
    const table = [new Resource(Country, '/countries', [{ ...listOperation(), ...own }])]
    await expect(bootWith(Country, {}, table)).rejects.toThrow(
      new Error(`contexts/Country.jsonld lacks the ${text} of the operation "list" in "nl".`),
    )
  })

  test('has texts of an operation that does not exist', async () => {
    await expect(bootWith(Country, { operations: { fly: {} } })).rejects.toThrow(
      new Error('contexts/Country.jsonld has texts of the operation "fly", which Country does not have.'),
    )
  })

  test('has a reference to a class that is no resource', () => {
    const table = [
      new Resource(Location, '/locations', [listOperation()]),
      new Resource(Meeting, '/meetings', [listOperation()]),
    ]
    expect(() => new Api(table, database, { ...apiOptions, ...config })).toThrow(
      new Error('"Meeting.employee" leads to Employee, which is not a resource of this API.'),
    )
  })
})

describe('The boot is refused where a resource', () => {
  const [list, create, update] = [listOperation(), createOperation(), updateOperation()]
  const terms = (...names: string[]) => Object.fromEntries(names.map((name) => [name, `Airborne/${name}`]))
  const dock = { dock: { '@id': 'Airborne/dock', '@type': '@id' } }
  type Row = [type: new () => object, Definitions, Resource['operations'], ResourceOptions<object>]
  const refusals: [string, Row, string][] = [
    [
      'hides a property that its class lacks',
      [Airship, { ...terms('name'), ...dock }, [list], { hidden: { member: ['colour'] } }],
      '"/airborne" has "colour" in its option "hidden", which Airship lacks: correct the name.',
    ],
    [
      'masks a property that its class lacks',
      [Airship, { ...terms('name'), ...dock }, [list], { masked: { member: { colour: () => '' } } }],
      '"/airborne" has "colour" in its option "masked", which Airship lacks: correct the name.',
    ],
    [
      'searches a property that its class lacks',
      [Airship, { ...terms('name'), ...dock }, [list], { text: ['colour'] }],
      '"/airborne" has "colour" in its option "text", which Airship lacks: correct the name.',
    ],
    [
      'is filtered by a name that every page uses',
      [Airship, { ...terms('name'), ...dock }, [list], { filters: { lang: 'exact' } }],
      '"/airborne" cannot be filtered by "lang", a parameter of every page: rename the property.',
    ],
    [
      'has a reference whose foreign key omits the tenant',
      [Blimp, dock, [list], {}],
      '"Blimp.dock" needs a @ForeignKey of "organizationId" and "dockId" on the class Blimp.',
    ],
    [
      'has a reference that joins by more columns than its key',
      [Blimp, { mast: { '@id': 'Airborne/mast', '@type': '@id' } }, [list], {}],
      `"Blimp.mast" joins by mastId, mastOrganizationId: add @JoinColumn({ name: 'mastId', referencedColumnName: 'id' }).`,
    ],
    [
      'has a column that a create cannot write',
      [Blimp, terms('colour'), [create], {}],
      '"Blimp.colour" has no value in a create at "/airborne": give it a rule, a default, or a place in "sets".',
    ],
    [
      'expects a file without a reader',
      [Airship, { ...terms('name'), ...dock }, [{ ...create, name: 'draw', expects: 'file' }], {}],
      'The operation "draw" of "/airborne" expects a file: give it the option "file".',
    ],
    [
      'has no id',
      [Kite, terms('name'), [list], {}],
      'Kite needs the column "id", because items of "/airborne" are found by it.',
    ],
    [
      'can be changed but has no version',
      [Kite, terms('name'), [update], { singleton: true }],
      'Kite needs a version column "version", because "/airborne" has "update".',
    ],
    [
      'has no column of its tenant',
      [Kite, terms('name'), [list], { singleton: true }],
      'Kite needs the column "organizationId" of its organization, or "/airborne" the option "scope".',
    ],
  ]

  const check = ([type, definitions, operations, options]: Row, source: DataSource) =>
    checkResource(
      new Resource(type, '/airborne', operations, options),
      joinShape(type, source, contexts, [], definitions),
      apiOptions.tenancy,
    )

  test.each(refusals)('%s', async (_, row, sentence) => {
    await withClasses([...own, Airship, Blimp, Kite], (source) =>
      expect(() => check(row, source)).toThrow(new Error(sentence)),
    )
  })

  test('while a resource without such a fault passes', async () => {
    const row: Row = [Airship, { ...terms('name'), ...dock }, [list, create, update], { text: ['name'] }]
    await withClasses([...own, Airship, Blimp, Kite], (source) => expect(() => check(row, source)).not.toThrow())
  })
})

describe('The boot is refused where a table', () => {
  const refused = (sentence: string) =>
    withClasses([...own, Airship], (source) => expect(requireTables(source)).rejects.toThrow(new Error(sentence)))

  test('is missing, lacks a column, or lacks the trigger of its searched texts', async () => {
    await refused('Airship has no table "airship": create it in a migration, and list the migration.')
    await database.query(`CREATE TABLE "airship" ("id" uuid, "organizationId" uuid, "createdAt" timestamptz,
      "updatedAt" timestamptz, "version" int, "dockId" uuid, "searchText" text)`)
    await refused('Table "airship" has no column "name" of Airship: add it in a migration.')
    await database.query(`ALTER TABLE "airship" ADD "name" text`)
    await refused('Table "airship" has no trigger that fills "searchText": create it in a migration.')
    await database.query(`CREATE FUNCTION "fold_airship"() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN NEW."searchText" := NEW."name"; RETURN NEW; END $$`)
    await database.query(`CREATE TRIGGER "folded" BEFORE INSERT OR UPDATE ON "airship"
      FOR EACH ROW EXECUTE FUNCTION "fold_airship"()`)
    await withClasses([...own, Airship], (source) => requireTables(source))
  })
})
