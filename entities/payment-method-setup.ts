/** The keys with which a browser gives a new card or account to Stripe. `POST /payment-methods` then takes its id. */
export class PaymentMethodSetup {
  constructor(
    private readonly secret: string | null = null,
    private readonly key: string | null = null,
  ) {}

  get clientSecret(): string | null {
    return this.secret
  }

  get publishableKey(): string | null {
    return this.key
  }
}
