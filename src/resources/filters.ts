import type { ResourceOptions } from '../hydra/index.ts'

type Declared = Pick<ResourceOptions<object>, 'filters' | 'order' | 'text'>

/** The filters, sort orders and search texts of each collection. In large tables, an index serves each of them. */
export const organizations: Declared = {
  filters: { name: 'partial', slug: 'lower', type: 'exact', status: 'exact', demo: 'boolean', createdAt: 'date' },
  order: ['name', 'createdAt'],
}

export const locations: Declared = {
  filters: { name: 'partial', officeOpenHour: ['range', 'exists'], officeCloseHour: ['range', 'exists'] },
  order: ['name'],
  text: ['name'],
}

export const integrations: Declared = { filters: { status: 'exact', provider: 'exact' } }

export const bankAccounts: Declared = {
  filters: { name: 'partial', currency: 'upper', integration: 'reference' },
  order: ['name'],
}

export const bankTransactions: Declared = {
  filters: {
    account: 'reference',
    bookedOn: ['date', 'exists'],
    transactionOn: 'date',
    amount: 'range',
    currency: 'upper',
    kind: 'exact',
    status: 'upper',
  },
  order: ['transactionOn', 'amount'],
  text: ['party', 'text'],
}

export const meetings: Declared = {
  filters: {
    employee: ['reference', 'exists'],
    dateFrom: 'date',
    dateTo: 'date',
    time: ['date', 'exists'],
    notes: ['partial', 'exists'],
  },
  order: ['dateFrom', 'dateTo'],
  text: ['notes'],
}

export const subscriptions: Declared = {
  filters: { status: 'exact', type: 'exact', seats: 'range', createdAt: 'date' },
}

export const employees: Declared = {
  filters: {
    name: 'partial',
    email: 'caseless',
    jobTitle: 'partial',
    active: 'boolean',
    user: 'reference',
    location: ['reference', 'exists'],
  },
  order: ['name'],
  text: ['name', 'email', 'jobTitle'],
}

export const users: Declared = { filters: { name: 'partial', email: 'caseless' } }

export const organizationUsers: Declared = {
  filters: { name: 'partial', role: 'exact', status: 'exact', user: 'reference', joinedAt: 'date' },
}

export const invitations: Declared = { filters: { email: 'caseless', role: 'exact', expiresAt: 'date' } }

export const apiKeys: Declared = {
  filters: {
    name: 'partial',
    role: 'exact',
    createdBy: 'reference',
    expiresAt: 'date',
    lastUsedAt: ['date', 'exists'],
  },
}

export const webhookEndpoints: Declared = {
  filters: {
    name: 'partial',
    role: 'exact',
    enabled: 'boolean',
    createdBy: 'reference',
    failingSince: ['date', 'exists'],
  },
}

export const webhookDeliveries: Declared = { filters: { endpoint: 'reference', event: 'exact', status: 'exact' } }

export const addresses: Declared = { filters: { kind: 'exact', name: 'partial', city: 'exact', country: 'reference' } }

export const modules: Declared = { filters: { name: 'exact', enabled: 'boolean' } }

export const configs: Declared = { filters: { key: 'exact' } }

export const paymentMethods: Declared = { filters: { type: 'exact', brand: 'exact', preferred: 'boolean' } }

export const invoices: Declared = {
  filters: {
    name: 'exact',
    subscription: 'reference',
    status: 'exact',
    total: 'range',
    issuedAt: 'date',
    dueAt: 'date',
  },
  order: ['createdAt'],
}

export const auditEvents: Declared = {
  filters: {
    actor: ['reference', 'exists'],
    apiKey: ['reference', 'exists'],
    action: 'exact',
    target: 'exact',
    at: 'date',
  },
  order: ['at'],
}
