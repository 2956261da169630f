import type { Params } from '../http/form.ts'
import { listPage, listParameters } from '../http/list-pages.ts'
import { flag, hash, text, texts } from '../http/parameter-values.ts'
import { pathObject, type Route } from '../http/route.ts'
import { createPrice, createProduct, updatePrice, updateProduct } from '../objects/new-price.ts'
import type { Price } from '../objects/objects.ts'

export const prices: Route[] = [
  {
    method: 'POST',
    path: '/v1/products',
    parameters: 'id name description active metadata images url unit_label',
    handle: ({ account, params }) => createProduct(account, params),
  },
  {
    method: 'POST',
    path: '/v1/products/{product}',
    parameters: 'name description active metadata images url unit_label default_price',
    handle: (call) => updateProduct(call.account, pathObject(call, 'product'), call.params),
  },
  { method: 'GET', path: '/v1/products/{product}', handle: (call) => pathObject(call, 'product') },
  {
    method: 'GET',
    path: '/v1/products',
    parameters: `${listParameters} active ids`,
    handle({ account, params }) {
      const [active, ids] = [flag(params, 'active'), texts(params, 'ids')]
      return listPage(account, 'product', params, '/v1/products', (product) => {
        return product.active === (active ?? product.active) && (!ids.length || ids.includes(product.id))
      })
    },
  },
  {
    method: 'POST',
    path: '/v1/prices',
    parameters:
      'currency unit_amount product product_data recurring lookup_key transfer_lookup_key nickname active metadata tax_behavior',
    handle: ({ account, params }) => createPrice(account, params),
  },
  {
    method: 'POST',
    path: '/v1/prices/{price}',
    parameters: 'active lookup_key transfer_lookup_key metadata nickname tax_behavior',
    handle: (call) => updatePrice(call.account, pathObject(call, 'price'), call.params),
  },
  { method: 'GET', path: '/v1/prices/{price}', handle: (call) => pathObject(call, 'price') },
  {
    method: 'GET',
    path: '/v1/prices',
    parameters: `${listParameters} active currency lookup_keys product type recurring`,
    handle: ({ account, params }) => listPage(account, 'price', params, '/v1/prices', filter(params)),
  },
]

function filter(params: Params): (price: Price) => boolean {
  const keys = texts(params, 'lookup_keys')
  const [active, interval] = [flag(params, 'active'), text(hash(params, 'recurring'), 'interval')]
  return (price) =>
    (!keys.length || keys.includes(price.lookup_key ?? '')) &&
    price.active === (active ?? price.active) &&
    (!interval || price.recurring?.interval === interval) &&
    (['currency', 'product', 'type'] as const).every((name) => (text(params, name) ?? price[name]) === price[name])
}
