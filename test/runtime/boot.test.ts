import { IsOptional, IsString } from 'class-validator'
import { Column, DataSource, Entity, ManyToOne, PrimaryColumn } from 'typeorm'
import { Location, Meeting } from '../../entities/index.ts'
import { apiOptions } from '../../src/api.ts'
import { Api, listOperation, Resource } from '../../src/hydra/index.ts'
import { Contexts } from '../../src/hydra/model/context.ts'
import { joinShape } from '../../src/hydra/model/shape.ts'
import { openWorld } from '../support/world.ts'

const { config, database } = await openWorld()

const contexts = new Contexts(apiOptions.contexts)

type Definitions = Parameters<typeof joinShape>[4]

@Entity()
class Room {
  @PrimaryColumn('text')
  @IsString()
  id: string

  @ManyToOne(() => Room)
  building: Room

  @Column('text')
  colour: string

  @IsOptional()
  door: unknown

  get next(): string {
    return `${this.id}-next`
  }
}

describe('The boot is refused where a context', () => {
  const id = 'Room/id'
  const door = 'Room/door'
  const refusals: [string, Definitions, string][] = [
    [
      'names what the class has not',
      { id, flor: 'Room/flor' },
      'contexts/Room.jsonld names "flor", which Room does not have.',
    ],
    ['leaves out what has a rule', { id }, '"Room.door" has a rule but no term in contexts/Room.jsonld.'],
    ['leaves out a link', { id, door }, 'contexts/Room.jsonld lacks "book", a link of Room.'],
    [
      'names a property like a term of Hydra',
      { id, next: 'Room/next' },
      '"Room.next" is named like a term that every document needs.',
    ],
    [
      'gives two properties one IRI',
      { id, colour: id },
      'contexts/Room.jsonld gives "id" and "colour" the same IRI, Room/id.',
    ],
    [
      'has a reference without a key',
      { id, building: { '@id': 'Room/building', '@type': '@id' } },
      '"Room.building" needs a "buildingId" column beside it.',
    ],
    [
      'has a reference to an unknown class',
      { id, door: { '@id': door, '@type': '@id' } },
      'contexts/Room.jsonld calls "door" a reference, but Room does not say to what.',
    ],
  ]

  test.each(refusals)('%s', async (_, definitions, sentence) => {
    const rooms = await new DataSource({ ...database.options, entities: [Room], migrations: [] } as never).initialize()
    try {
      expect(() => joinShape(Room, rooms, contexts, ['book'], definitions)).toThrow(new Error(sentence))
    } finally {
      await rooms.destroy()
    }
  })

  test('is missing', () => {
    expect(() => joinShape(Room, database, contexts)).toThrow(/^contexts\/Room\.jsonld cannot be read: ENOENT/)
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
