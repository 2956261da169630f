import type { Api } from '../hydra/index.ts'

/** The engine's types that pages are drawn from. They all follow from those of the API. */
export type Pages = NonNullable<Api['pages']>
export type PageView = Parameters<Pages['draw']>[0]
export type PageRequest = PageView['request']
export type ProblemDetails = Parameters<Pages['drawProblem']>[2]
export type Document = PageView['document']
export type OfferedOperation = PageView['operations'][number]

/** One field of a form, with its bounds. */
export type FormField = ReturnType<Api['formFields']>[number]

/** The class of a page's item or members. */
export type PageContent = NonNullable<PageView['content']>
export type Collection = NonNullable<PageContent['collection']>
export type Shape = PageContent['shape']
export type Field = Shape['fields'][number]
