import { Initial1764000000000 } from './1764000000000-initial.ts'
import { Rules1764000000001 } from './1764000000001-rules.ts'
import { Idempotency1764000000002 } from './1764000000002-idempotency.ts'
import { Lists1764000000003 } from './1764000000003-lists.ts'
import { Billing1764000000004 } from './1764000000004-billing.ts'
import { Images1764000000005 } from './1764000000005-images.ts'
import { People1764000000006 } from './1764000000006-people.ts'
import { Workspace1764000000007 } from './1764000000007-workspace.ts'
import { Banking1764000000008 } from './1764000000008-banking.ts'
import { Hours1764000000016 } from './1764000000016-hours.ts'
import { Kosovo1764000000017 } from './1764000000017-kosovo.ts'
import { JobCrashes1764000000019 } from './1764000000019-job-crashes.ts'
import { Search1764000000020 } from './1764000000020-search.ts'
import { BankIdentity1764000000030 } from './1764000000030-bank-identity.ts'
import { Claims1764000000050 } from './1764000000050-claims.ts'
import { Lines1764000000060 } from './1764000000060-lines.ts'
import { DefaultOrganization1764000000061 } from './1764000000061-default-organization.ts'
import { NameOrder1764000000062 } from './1764000000062-name-order.ts'
import { InvoicePages1764000000070 } from './1764000000070-invoice-pages.ts'
import { OtherProducts1764000000071 } from './1764000000071-other-products.ts'
import { PausedCollection1764000000072 } from './1764000000072-paused-collection.ts'
import { CustomerProfile1764000000080 } from './1764000000080-customer-profile.ts'
import { OptionalAddress1764000000081 } from './1764000000081-optional-address.ts'
import { IgnoredEvents1764000000082 } from './1764000000082-ignored-events.ts'
import { BilledTo1764000000083 } from './1764000000083-billed-to.ts'
import { CaselessEmails1764000000090 } from './1764000000090-caseless-emails.ts'
import { AccountNumber1764000000091 } from './1764000000091-account-number.ts'
import { TenantKeys1764000000100 } from './1764000000100-tenant-keys.ts'
import { CountedWrites1764000000101 } from './1764000000101-counted-writes.ts'
import { EffectsInCode1764000000102 } from './1764000000102-effects-in-code.ts'
import { Overlap1764000000103 } from './1764000000103-overlap.ts'
import { Changes1764000000104 } from './1764000000104-changes.ts'
import { Sessions1764000000110 } from './1764000000110-sessions.ts'
import { ApiKeys1764000000120 } from './1764000000120-api-keys.ts'
import { WebhookEndpoints1764000000130 } from './1764000000130-webhook-endpoints.ts'
import { Exports1764000000140 } from './1764000000140-exports.ts'
import { RowSecurity1764000000150 } from './1764000000150-row-security.ts'
import { WebhookDeliveries1764000000160 } from './1764000000160-webhook-deliveries.ts'
import { SearchPath1764000000180 } from './1764000000180-search-path.ts'
import { Closing1764000000190 } from './1764000000190-closing.ts'
import { Erasure1764000000200 } from './1764000000200-erasure.ts'

/** In the order in which they are applied. */
export const migrations = [
  Initial1764000000000,
  Rules1764000000001,
  Idempotency1764000000002,
  Lists1764000000003,
  Billing1764000000004,
  Images1764000000005,
  People1764000000006,
  Workspace1764000000007,
  Banking1764000000008,
  Hours1764000000016,
  Kosovo1764000000017,
  JobCrashes1764000000019,
  Search1764000000020,
  BankIdentity1764000000030,
  Claims1764000000050,
  Lines1764000000060,
  DefaultOrganization1764000000061,
  NameOrder1764000000062,
  InvoicePages1764000000070,
  OtherProducts1764000000071,
  PausedCollection1764000000072,
  CustomerProfile1764000000080,
  OptionalAddress1764000000081,
  IgnoredEvents1764000000082,
  BilledTo1764000000083,
  CaselessEmails1764000000090,
  AccountNumber1764000000091,
  TenantKeys1764000000100,
  CountedWrites1764000000101,
  EffectsInCode1764000000102,
  Overlap1764000000103,
  Changes1764000000104,
  Sessions1764000000110,
  ApiKeys1764000000120,
  WebhookEndpoints1764000000130,
  Exports1764000000140,
  RowSecurity1764000000150,
  WebhookDeliveries1764000000160,
  SearchPath1764000000180,
  Closing1764000000190,
  Erasure1764000000200,
]
