import type { Params } from '../http/form.ts'
import { page, paging } from '../http/list-pages.ts'
import { flag, hash, text, texts } from '../http/parameter-values.ts'
import { named, type Route } from '../http/route.ts'
import { createPrice, createProduct, updatePrice, updateProduct } from '../objects/new-price.ts'
import type { Price } from '../objects/objects.ts'

export const prices: Route[] = [
  {
    method: 'POST',
    path: '/v1/products',
    takes: 'id name description active metadata images url unit_label',
    handle: ({ account, params }) => createProduct(account, params),
  },
  {
    method: 'POST',
    path: '/v1/products/{product}',
    takes: 'name description active metadata images url unit_label default_price',
    handle: (call) => updateProduct(call.account, named(call, 'product'), call.params),
  },
  { method: 'GET', path: '/v1/products/{product}', handle: (call) => named(call, 'product') },
  {
    method: 'GET',
    path: '/v1/products',
    takes: `${paging} active ids`,
    handle({ account, params }) {
      const [active, ids] = [flag(params, 'active'), texts(params, 'ids')]
      return page(account, 'product', params, '/v1/products', (product) => {
        return product.active === (active ?? product.active) && (!ids.length || ids.includes(product.id))
      })
    },
  },
  {
    method: 'POST',
    path: '/v1/prices',
    takes:
      'currency unit_amount product product_data recurring lookup_key transfer_lookup_key nickname active metadata tax_behavior',
    handle: ({ account, params }) => createPrice(account, params),
  },
  {
    method: 'POST',
    path: '/v1/prices/{price}',
    takes: 'active lookup_key transfer_lookup_key metadata nickname tax_behavior',
    handle: (call) => updatePrice(call.account, named(call, 'price'), call.params),
  },
  { method: 'GET', path: '/v1/prices/{price}', handle: (call) => named(call, 'price') },
  {
    method: 'GET',
    path: '/v1/prices',
    takes: `${paging} active currency lookup_keys product type recurring`,
    handle: ({ account, params }) => page(account, 'price', params, '/v1/prices', filter(params)),
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
