import { countryCodes } from '../../entities/country-codes.ts'
import { Country } from '../../entities/index.ts'
import { listOperation, memoryStore, type Operation, readOperation } from '../hydra/index.ts'

/** The languages of country names. The first is used when Accept-Language names none of them. */
export const languages = ['en', 'nl', 'de', 'fr', 'es', 'it', 'pt', 'pl', 'cs', 'ro', 'lt', 'lv', 'et']

const storesByLanguage = new Map(
  languages.map((language) => [
    language,
    memoryStore(
      countryCodes.map((id) => country(id, language)),
      language,
    ),
  ]),
)

export const store = storeIn('en')

export const list: Operation<Country> = {
  ...listOperation<Country>(),
  handle: (call) => call.page(Country, [], [], storeIn(call.request.language(languages))),
}

export const read: Operation<Country> = {
  ...readOperation<Country>(),
  async handle(call) {
    const { id } = await call.find()
    return (await storeIn(call.request.language(languages)).find(call.unitOfWork.executor, call.caller, id)) as Country
  },
}

function storeIn(language: string) {
  return storesByLanguage.get(language) as ReturnType<typeof memoryStore<Country>>
}

function country(id: string, language: string): Country {
  return Object.assign(new Country(), { id, language })
}
