import type { Schemas } from "../../api/client";

/** Every right there is, as the API names them: one without words, or words without a right, do not compile. */
type Scope = Schemas["OAuthClientRequest"]["scopes"][number];

/** What each right lets do. The pages offer them in this order. */
export const scopeTexts = {
  admin: "Everything, also tokens and owners",
  "audit:read": "Read the audit log",
  "catalog:read": "Read affiliates, links, programs, rules and materials",
  "catalog:write": "Change affiliates, links, programs, rules and materials",
  "conversions:read": "Read conversions",
  "conversions:write": "Book conversions",
  "kyc:read": "Read identity documents",
  "kyc:write": "Review identity documents",
  "ledger:read": "Read commissions and the ledger",
  "mail:read": "Read mails",
  "orders:read": "Read orders, invoices and payments",
  "orders:write": "Refund orders and settle their reviews",
  "payouts:approve": "Approve payout batches",
  "payouts:read": "Read payouts",
  "payouts:write": "Make and send payout batches",
  "people:read": "Read accounts and their roles",
  "people:write": "Invite and change people, and end their sign-ins",
  "reports:read": "Read reports and clicks",
  "settings:read": "Read the configuration and the public site's texts",
  "settings:write": "Change the public site, and forget trackers that are gone",
  "shop:read": "Read products and coupons",
  "shop:write": "Change products and coupons",
  "system:read": "Read how trackers, stores and queues are",
  "webhooks:read": "Read webhooks and what was sent",
  "webhooks:write": "Change webhooks",
  me: "The person's account",
  "affiliate:self": "The person's own links, figures and payouts",
  "learner:self": "The person's own orders and courses",
} satisfies Record<Scope, string>;
