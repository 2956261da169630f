/** The files of the guide's `Room` (docs/guides/adding-a-resource.md), by their paths. */
export const newFiles: Record<string, string> = {
  'entities/room.ts': `
import { IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator'
import { Column, Entity, ForeignKey, Index, JoinColumn, ManyToOne } from 'typeorm'
import { Counted } from './identified.ts'
import { Location } from './location.ts'
import { IsName } from './single-line.ts'

@Entity()
@ForeignKey(() => Location, ['organizationId', 'locationId'], ['organizationId', 'id'])
@Index(['organizationId', 'locationId'])
@Index('room:name', { synchronize: false })
@Index('room.name', { synchronize: false })
@Index('room.searchText', { synchronize: false })
export class Room extends Counted {
  @Column('text')
  @IsString()
  @Length(1, 255)
  @IsName()
  name: string

  @Column('smallint', { nullable: true })
  @IsOptional()
  @IsInt()
  @Min(-10)
  @Max(200)
  floor: number | null = null

  @ManyToOne(() => Location, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'locationId', referencedColumnName: 'id' })
  @IsOptional()
  location: Location | null

  @Column('uuid', { nullable: true })
  locationId: string | null = null

  @Column('text', { select: false })
  readonly searchText: string
}
`,
  'contexts/Room.jsonld': JSON.stringify({
    label: { en: 'Room', nl: 'Kamer' },
    plural: { en: 'Rooms', nl: 'Kamers' },
    about: { en: 'A room for meetings in an office.', nl: 'Een kamer voor afspraken op een vestiging.' },
    subClassOf: 'schema:Room',
    example: { name: 'Rembrandt', floor: 2 },
    labels: {
      name: { en: 'Name', nl: 'Naam' },
      floor: { en: 'Floor', nl: 'Verdieping' },
      location: { en: 'Location', nl: 'Locatie' },
    },
    description: {
      name: { en: 'The name of the room.', nl: 'De naam van de kamer.' },
      floor: { en: 'The floor of the office; 0 is the ground floor.', nl: 'De verdieping; 0 is de begane grond.' },
      location: { en: 'The office that has the room.', nl: 'De vestiging met de kamer.' },
    },
    '@context': {
      name: 'schema:name',
      floor: 'schema:floorLevel',
      location: { '@id': 'schema:containedInPlace', '@type': '@id' },
    },
  }),
  'src/migrations/1999000000000-room.ts': `
import type { MigrationInterface, QueryRunner } from 'typeorm'
import { secureRows } from '../postgres/row-security.ts'

export class Room1999000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(\`CREATE TABLE "room" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
      "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL,
      "name" text NOT NULL, "floor" smallint, "locationId" uuid, "searchText" text NOT NULL,
      PRIMARY KEY ("organizationId", "id"))\`)
    await runner.query('CREATE INDEX ON "room" ("organizationId", "locationId")')
    await runner.query('ALTER TABLE "room" ADD FOREIGN KEY ("organizationId") REFERENCES "organization" ("id")')
    await runner.query(\`ALTER TABLE "room" ADD FOREIGN KEY ("organizationId", "locationId")
      REFERENCES "location" ("organizationId", "id")\`)
    await runner.query('CREATE UNIQUE INDEX "room:name" ON "room" ("organizationId", lower("name"))')
    await runner.query('CREATE INDEX "room.name" ON "room" ("organizationId", "name" COLLATE "name_order", "id")')
    await runner.query(\`CREATE FUNCTION "fold_room"() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW."searchText" := "search_text"(NEW."name");
        RETURN NEW;
      END $$\`)
    await runner.query(\`CREATE TRIGGER "folded" BEFORE INSERT OR UPDATE ON "room"
      FOR EACH ROW EXECUTE FUNCTION "fold_room"()\`)
    await runner.query(
      'CREATE INDEX "room.searchText" ON "room" USING gin ("organizationId", "searchText" gin_trgm_ops)',
    )
    await secureRows(runner, 'room')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "room"')
    await runner.query('DROP FUNCTION "fold_room"')
  }
}
`,
}

/** The lines of other files: each follows the text before it, which stands there once. */
export const newLines: [path: string, before: string, line: string][] = [
  ['entities/index.ts', "export { PaymentMethod } from './payment-method.ts'\n", "export { Room } from './room.ts'\n"],
  ['src/migrations/index.ts', '', "import { Room1999000000000 } from './1999000000000-room.ts'\n"],
  ['src/migrations/index.ts', 'export const migrations = [\n', '  Room1999000000000,\n'],
  ['src/postgres/table-kinds.ts', "    'location',\n", "    'room',\n"],
  ['src/resources/groups.ts', "classes: ['Organization', ", "'Room', "],
  [
    'src/resources/filters.ts',
    "type Declared = Pick<ResourceOptions<object>, 'filters' | 'order' | 'text'>\n",
    `
export const rooms: Declared = {
  filters: { name: 'partial', floor: ['range', 'exists'], location: ['reference', 'exists'] },
  order: ['name'],
  text: ['name'],
}
`,
  ],
  ['src/api.ts', '', "import { removeOperation, updateOperation } from './hydra/index.ts'\n"],
  [
    'src/api.ts',
    '      filters.locations,\n    ),\n',
    `    new Resource(
      entities.Room,
      '/rooms',
      [
        anyMember(list),
        adminOrOwner(createOperation()),
        anyMember(read),
        adminOrOwner(updateOperation()),
        adminOrOwner(removeOperation()),
      ],
      filters.rooms,
    ),
`,
  ],
]
