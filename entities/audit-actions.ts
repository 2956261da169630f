/** The actions that the audit log records: the class, then what happened to it. */
export const auditActions = [
  'organization.create',
  'organization.update',
  'organization.clear',
  'organization.export',
  'organization.close',
  'organization.reopen',
  'organization.delete',
  'organization.follow',
  'organization.uploadIcon',
  'organization.uploadLogo',
  'organization.removeIcon',
  'organization.removeLogo',
  'mailFooter.update',
  'organizationConfig.update',
  'organizationModule.override',
  'organizationAddress.create',
  'organizationAddress.update',
  'organizationAddress.remove',
  'employee.create',
  'employee.update',
  'employee.erase',
  'user.erase',
  'organizationUser.update',
  'organizationUser.remove',
  'organizationUserInvitation.create',
  'organizationUserInvitation.accept',
  'organizationUserInvitation.resend',
  'organizationUserInvitation.revoke',
  'organizationExport.download',
  'apiKey.create',
  'apiKey.update',
  'apiKey.revoke',
  'webhookEndpoint.create',
  'webhookEndpoint.update',
  'webhookEndpoint.renewSecret',
  'webhookEndpoint.disable',
  'webhookEndpoint.remove',
  'subscription.create',
  'subscription.update',
  'subscription.cancel',
  'subscription.confirm',
  'subscription.follow',
  'subscription.endDuplicate',
  'subscription.applyCoupon',
  'subscription.clearCoupon',
  'paymentMethod.create',
  'paymentMethod.remove',
  'invoice.pay',
  'integration.setup',
  'integration.pull',
  'integration.import',
  'integration.revoke',
] as const

export type AuditAction = (typeof auditActions)[number]

/** The verbs of the actions on one class. */
export type VerbOn<Name extends string> = AuditAction extends infer A
  ? A extends `${Name}.${infer Verb}`
    ? Verb
    : never
  : never
