// One line for each file: what it exports is found below text.
export * from "./account";
export * from "./admin-orders";
export * from "./admin-payouts";
export * from "./admin-sales";
export * from "./admin";
export * from "./affiliate-earnings";
export * from "./affiliate-payouts";
export * from "./affiliate-postbacks";
export * from "./affiliate";
export * from "./bookings";
export * from "./business";
export * from "./common";
export * from "./partners";
export * from "./states";
export * from "./support";
export * from "./why";
import { account } from "./account";
import { admin } from "./admin";
import { orders, story, storyParts } from "./admin-orders";
import { payoutReasons, payouts } from "./admin-payouts";
import { affiliate } from "./affiliate";
import { earnings } from "./affiliate-earnings";
import { myOverview } from "./affiliate-overview";
import { analytics } from "./analytics";
import { common, error, nav, problem, shell, table } from "./common";
import { conversionTypes, states } from "./states";
import { support } from "./support";
import { why } from "./why";

export const en = {
  account,
  admin,
  affiliate,
  analytics,
  common,
  conversionTypes,
  earnings,
  error,
  myOverview,
  nav,
  orders,
  payoutReasons,
  payouts,
  problem,
  shell,
  states,
  story,
  storyParts,
  support,
  table,
  why,
};
