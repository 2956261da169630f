import { codes } from '../../entities/country-codes.ts'
import { Country } from '../../entities/index.ts'
import type { Call } from '../hydra/call.ts'
import { Page } from '../hydra/collection.ts'
import { list as plainList, read as plainRead } from '../hydra/crud.ts'
import { memory } from '../hydra/memory.ts'
import type { Operation } from '../hydra/operation.ts'

/** The languages that countries can be named in, the first being what anybody gets who asks for none of them. */
export const languages = ['en', 'nl', 'de', 'fr', 'es', 'it', 'pt', 'pl', 'cs', 'ro', 'lt', 'lv', 'et']

const named = new Map(languages.map((language) => [language, new Map(codes.map((id) => [id, country(id, language)]))]))

export const store = memory([...(named.get('en') as Map<string, Country>).values()])

export const list: Operation<Country> = {
  ...plainList,
  async handle(call) {
    const { found, order } = await call.page()
    const entities = found.entities.map((entity) => localised(call, entity as Country))
    return new Page(Country, { ...found, entities }, order)
  },
}

export const read: Operation<Country> = {
  ...plainRead,
  handle: async (call) => localised(call, await call.find()),
}

function localised(call: Call<Country>, { id }: Country): Country {
  return named.get(call.question.language(languages))?.get(id) as Country
}

function country(id: string, language: string): Country {
  return Object.assign(new Country(), { id, language })
}
